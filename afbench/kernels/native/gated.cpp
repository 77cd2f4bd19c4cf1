// Swish, ACON, PReLU and PELU: afbench_gated takes the function's number, then the call's message.
#include "gated.h"
#include "parallel.h"
#include "pointwise.h"

using namespace AFBENCH_ISA;

AFBENCH_EXPORT(afbench_gated)(const int64_t* integers) {
    Message message{integers};
    switch (message.number()) {
        case 0: return call(Swish{}, message);
        case 1: return call(AconB{}, message);
        case 2: return call(AconC{}, message);
        case 3: return call(PReLU{}, message);
        case 4: return call(PELU{}, message);
        default: return UNKNOWN;
    }
}
