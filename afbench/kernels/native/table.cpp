#include "table.h"

#include <cmath>
#include <cstdint>

namespace afbench {

void TableStorage::set(const std::vector<Piece>& pieces, Grid grid) {
    int used = static_cast<int>(pieces.size()), size = 0;
    for (int known : TABLE_SIZES)
        if (size < used) size = known;
    numbers_.assign(9 * size + 4, 0.0f);
    float* start = numbers_.data();
    while (reinterpret_cast<uintptr_t>(start) % 16) start++;  // rows are loaded whole
    float *rows = start, *columns = rows + 4 * size, *heap = columns + 4 * size;
    for (int i = 0; i < used; i++)
        for (int k = 0; k < 4; k++) rows[4 * i + k] = columns[k * size + i] = static_cast<float>(pieces[i].c[k]);
    for (int node = 1, level = 1; level < size; level *= 2)
        for (int i = 0; i < level; i++, node++) {
            int piece = (2 * i + 1) * (size / (2 * level));
            heap[node] = piece < used ? pieces[piece].knot : NAN;
        }
    table_ = {size, heap, reinterpret_cast<const float(*)[4]>(rows), columns, pieces[0].knot, grid};
}

}  // namespace afbench
