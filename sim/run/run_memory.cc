#include "sim/run/run_memory.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <iterator>
#include <utility>

namespace stillpoint::sim::run {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 18;

// Kept from run to run: new pages cost more than all that is written to them.
std::vector<RunMemory::Block>& Spare() {
  static std::vector<RunMemory::Block> blocks;
  return blocks;
}

RunMemory::Block TakeBlock() {
  if (Spare().empty()) return std::make_unique_for_overwrite<std::byte[]>(kBlock);
  RunMemory::Block block = std::move(Spare().back());
  Spare().pop_back();
  return block;
}

std::size_t Gap(const std::byte* address, std::size_t alignment) {
  return -std::bit_cast<std::uintptr_t>(address) & (alignment - 1);
}

}  // namespace

RunMemory::~RunMemory() {
  std::ranges::move(blocks_, std::back_inserter(Spare()));
}

void* RunMemory::do_allocate(std::size_t size, std::size_t alignment) {
  const std::size_t gap = Gap(next_, alignment);
  if (gap + size > static_cast<std::size_t>(end_ - next_)) return AllocateAnew(size, alignment);
  return std::exchange(next_, next_ + gap + size) + gap;
}

void* RunMemory::AllocateAnew(std::size_t size, std::size_t alignment) {
  if (size > kBlock / 4) {
    large_.push_back(std::make_unique_for_overwrite<std::byte[]>(size + alignment));
    return large_.back().get() + Gap(large_.back().get(), alignment);
  }
  blocks_.push_back(TakeBlock());
  next_ = blocks_.back().get();
  end_ = next_ + kBlock;
  return do_allocate(size, alignment);
}

}  // namespace stillpoint::sim::run
