// Swish, ACON, PReLU and PELU: each function takes the message of a pointwise kernel, and nothing of its own.
#include "units.h"

#include "pointwise.h"

#define UNIT(name, function) \
    AFBENCH_EXPORT(afbench_##name)(const int64_t* integers) { \
        using namespace AFBENCH_ISA; \
        Message message{integers}; \
        Data data(message); \
        return call(function{}, data, message); \
    }

UNIT(swish, Swish)
UNIT(acon_b, AconB)
UNIT(acon_c, AconC)
UNIT(prelu, PReLU)
UNIT(pelu, PELU)
