#include "core/ops/kernels/mapped_memory.h"

#include <gtest/gtest.h>

#include <cstdlib>

using namespace voldiff::ops;

namespace {

constexpr std::size_t size = 8 << 20;

char& first_byte(const MappedMemory& memory) { return *static_cast<char*>(memory.data()); }

// Writes to memory, gives it back and asks for some again: whether it is the same. The system's is all zeros.
bool comes_back(std::size_t first, std::size_t second) {
    {
        const MappedMemory memory(first);
        first_byte(memory) = 1;
    }
    return first_byte(MappedMemory(second)) == 1;
}

TEST(MappedMemory, GoesBackAtOnce) { EXPECT_FALSE(comes_back(size, size)); }

TEST(MemoryReuse, GivesWhatFits) {
    const MemoryReuse reuse;
    EXPECT_TRUE(comes_back(size, size));
    EXPECT_FALSE(comes_back(size, size / 2)) << "a small piece must not hold a large one";
}

TEST(MemoryReuse, NeverHoldsMoreThanWasInUse) {
    const MemoryReuse reuse;
    ASSERT_TRUE(comes_back(size, size));
    const MappedMemory larger(2 * size);  // as much as was in use, without the piece that waits
    EXPECT_EQ(first_byte(MappedMemory(size)), 0);
}

TEST(MemoryReuse, EndsWithTheLastOfThem) {
    {
        const MemoryReuse outer;
        { const MemoryReuse inner; }
        EXPECT_TRUE(comes_back(size, size));
    }
    EXPECT_FALSE(comes_back(size, size));
}

TEST(MappedMemory, ShrinksToItsBeginning) {
    MappedMemory memory(size);
    first_byte(memory) = 1;
    memory.shrink(size / 2);
    EXPECT_EQ(first_byte(memory), 1);
}

}  // namespace
