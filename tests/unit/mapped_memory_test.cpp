#include "core/ops/kernels/mapped_memory.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

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
}

// Writes to each huge page of pieces of memory, gives them back and counts the pages that come back in one piece.
std::size_t pages_that_come_back(std::size_t pieces, std::size_t bytes_of_each, std::size_t bytes) {
    constexpr std::size_t page = 2 << 20;
    {
        std::vector<MappedMemory> memory;
        for (std::size_t i = 0; i < pieces; ++i) {
            memory.emplace_back(bytes_of_each);
            for (std::size_t at = 0; at < bytes_of_each; at += page) (&first_byte(memory.back()))[at] = 1;
        }
    }
    const MappedMemory all(bytes);
    std::size_t pages = 0;
    for (std::size_t at = 0; at < bytes; at += page) pages += (&first_byte(all))[at] == 1 ? 1 : 0;
    std::memset(all.data(), 2, bytes);  // all of it can be written
    return pages;
}

TEST(MemoryReuse, MakesOnePieceOfManyAndManyOfOne) {
    const MemoryReuse reuse;
    EXPECT_EQ(pages_that_come_back(4, size, 4 * size), 16U);
    EXPECT_EQ(pages_that_come_back(1, 4 * size, size), 4U);
}

TEST(MemoryReuse, HoldsNoMoreThanIsAllowed) {
    const MemoryReuse outer;
    { const MappedMemory memory(4 * size); }
    EXPECT_EQ(waiting_memory(), 4 * size);
    const MemoryReuse inner(size);
    EXPECT_EQ(waiting_memory(), size);
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
    EXPECT_EQ(waiting_memory(), 0U);  // the rest went back to the system
}

TEST(MemoryReuse, GivesWhatATensorThatShrinksLeaves) {
    const MemoryReuse reuse;
    MappedMemory memory(2 * size);
    (&first_byte(memory))[size] = 1;
    (&first_byte(memory))[0] = 2;
    memory.shrink(size - 5);
    EXPECT_EQ(waiting_memory(), size);
    EXPECT_EQ(first_byte(MappedMemory(size)), 1);
    EXPECT_EQ(first_byte(memory), 2);
}

}  // namespace
