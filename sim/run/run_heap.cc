// The heap of the simulator's binary: operator new and delete for the whole program, its shared
// libraries included. A run makes and drops some hundred thousand small pieces of memory, all on
// one thread; here each costs a few instructions. Pieces of one size lie together and are used
// again, the one freed last first. What is large comes from malloc().
//
// Threads: the program has one, and its workers are processes. Not in builds with a sanitizer.
// MALLOC_PERTURB_ fills new and freed pieces with a byte, as it does for malloc().
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace {

constexpr std::size_t kRegion = std::size_t{1} << 35;  // addresses; memory comes with use
constexpr std::size_t kChunk = std::size_t{1} << 16;   // pieces of one size
constexpr std::size_t kFine = 1024;                    // sizes in steps of 16 up to this
constexpr std::size_t kLargest = 16'384;               // four steps for each doubling up to this
constexpr std::size_t kClasses = kFine / 16 + 4 * 4 + 1;

struct Piece {
  Piece* next;
};

struct Class {
  Piece* freed = nullptr;
  std::byte* fresh = nullptr;  // not yet used part of the newest chunk
  std::byte* end = nullptr;
  std::size_t size = 0;
};

constexpr std::size_t ClassOf(std::size_t size) {
  if (size <= kFine) return (size + 15) / 16;
  const auto doublings = static_cast<std::size_t>(std::bit_width(size - 1)) - 11;  // of kFine
  const std::size_t step = kFine << doublings >> 2;
  return kFine / 16 + 4 * doublings + (size - (kFine << doublings) + step - 1) / step;
}

constexpr std::size_t SizeOf(std::size_t number) {
  if (number <= kFine / 16) return number == 0 ? 16 : 16 * number;
  const std::size_t above = number - kFine / 16 - 1;
  const std::size_t doublings = above / 4;
  return (kFine << doublings) + (above % 4 + 1) * (kFine << doublings >> 2);
}

static_assert(ClassOf(kFine + 1) == kFine / 16 + 1 && SizeOf(ClassOf(kFine + 1)) == 1280);
static_assert(ClassOf(2048) == kFine / 16 + 4 && SizeOf(ClassOf(2048)) == 2048);
static_assert(ClassOf(kLargest) == kClasses - 1 && SizeOf(ClassOf(kLargest)) == kLargest);

struct Heap {
  bool begun = false;
  std::byte* region = nullptr;  // null: the system gave none, and all comes from malloc()
  std::size_t chunks = 0;
  int perturb = 0;
  std::array<Class, kClasses> classes{};
  std::array<std::uint8_t, kRegion / kChunk> class_of_chunk{};
};

constinit Heap heap;

void Begin() {
  heap.begun = true;
  if (const char* perturb = std::getenv("MALLOC_PERTURB_")) heap.perturb = std::atoi(perturb);
  for (std::size_t number = 0; number < kClasses; ++number) {
    heap.classes[number].size = SizeOf(number);
  }
  void* region = mmap(nullptr, kRegion, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (region != MAP_FAILED) heap.region = static_cast<std::byte*>(region);
}

// False: nothing is left of the region.
bool TakeChunk(std::size_t number) {
  if (!heap.begun) Begin();
  if (heap.region == nullptr || heap.chunks == kRegion / kChunk) return false;
  heap.class_of_chunk[heap.chunks] = static_cast<std::uint8_t>(number);
  Class& pieces = heap.classes[number];
  pieces.fresh = heap.region + heap.chunks * kChunk;
  pieces.end = pieces.fresh + kChunk;
  ++heap.chunks;
  return true;
}

void* Malloc(std::size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void* Take(std::size_t size) {
  if (size > kLargest) return Malloc(size);
  const std::size_t number = ClassOf(size);
  Class& pieces = heap.classes[number];
  if (pieces.freed != nullptr) return std::exchange(pieces.freed, pieces.freed->next);
  const auto left = static_cast<std::size_t>(pieces.end - pieces.fresh);
  if (left < std::max<std::size_t>(pieces.size, 1) && !TakeChunk(number)) return Malloc(size);
  return std::exchange(pieces.fresh, pieces.fresh + pieces.size);
}

void GiveBack(void* memory) {
  const auto offset = static_cast<std::size_t>(static_cast<std::byte*>(memory) - heap.region);
  if (heap.region == nullptr || offset >= kRegion) return std::free(memory);
  Class& pieces = heap.classes[heap.class_of_chunk[offset / kChunk]];
  if (heap.perturb != 0) std::memset(memory, heap.perturb, pieces.size);
  pieces.freed = new (memory) Piece{pieces.freed};
}

}  // namespace

void* operator new(std::size_t size) {
  void* memory = Take(size);
  if (heap.perturb != 0) std::memset(memory, heap.perturb ^ 0xff, size);
  return memory;
}

void operator delete(void* memory) noexcept {
  if (memory != nullptr) GiveBack(memory);
}

void operator delete(void* memory, std::size_t /*size*/) noexcept {
  operator delete(memory);
}
