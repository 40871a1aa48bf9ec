// Products of float32 matrices on the matrix unit of a CPU (Intel AMX), which multiplies bfloat16 and sums float32.
//
// Each number is the sum of three bfloat16, exactly: the second is at most 2^-8 of it, the third 2^-15. Six of the nine
// products of such parts are summed; what is left out is at most 2^-22 of the product, some 2^-26 as a rule, with no
// preferred sign (Henry, Tang and Heinecke, arXiv:1904.06376). The sums are more exact than those of float32's own
// fused multiply-adds, as the unit adds 16 terms apart and the small products come first.
#pragma once

#include <cstddef>
#include <vector>

namespace voldiff::ops {

// c[rows, panels * 32] (+)= a[rows, depth] b, where b is packed as for the vector kernels: panels [depth, 32].
struct UnitProduct {
    std::vector<const float*> rows;  // of a, each of `depth` floats
    std::size_t depth = 0;           // a multiple of 32
    const float* packed = nullptr;
    std::size_t panels = 0;
    std::size_t panel_stride = 0;  // floats from a panel to the next
    float* c = nullptr;            // ldc floats from row to row
    std::size_t ldc = 0;
    bool add = false;             // to what c holds
    const float* next = nullptr;  // the panel that the following product, of the same depth, begins with, or null
};

// A panel whose parts were made beside the product before it, in one of two places.
struct PanelAtHand {
    const float* panel = nullptr;
    std::size_t place = 0;
};

// The calling thread's unit, for as long as this lives.
class MatrixUnit {
  public:
    static constexpr std::size_t depth_step = 32, panel_columns = 32, tile_rows = 16;

    MatrixUnit();
    ~MatrixUnit();
    MatrixUnit(const MatrixUnit&) = delete;
    MatrixUnit& operator=(const MatrixUnit&) = delete;

    // Whether this machine has one, the system lets this process use it, and the vector kernels pack as it needs.
    static bool available();
    // Whether it is available and [depth, columns] are whole steps and panels.
    static bool takes(std::size_t depth, std::size_t columns) {
        return depth % depth_step == 0 && columns % panel_columns == 0 && available();
    }
    void multiply(const UnitProduct& product);

  private:
    PanelAtHand at_hand_;
};

}  // namespace voldiff::ops
