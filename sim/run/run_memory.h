// RunMemory: the memory of all stored objects of a run. It only grows, and is freed as a whole at
// the end of the run, which is when the last of them would go anyway: the oracles look at every
// version that there was. So nothing is freed piece by piece.
#pragma once

#include <boost/json/memory_resource.hpp>

#include <cstddef>
#include <memory>
#include <vector>

namespace stillpoint::sim::run {

// Lifetime: outlives all values in it. A value that is destroyed does not even look at it.
class RunMemory final : public boost::json::memory_resource {
 public:
  using Block = std::unique_ptr<std::byte[]>;

  RunMemory() = default;
  ~RunMemory() override;
  RunMemory(const RunMemory&) = delete;
  RunMemory& operator=(const RunMemory&) = delete;

 private:
  void* do_allocate(std::size_t size, std::size_t alignment) override;
  void do_deallocate(void* /*memory*/, std::size_t /*size*/, std::size_t /*alignment*/) override {}
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  void* AllocateAnew(std::size_t size, std::size_t alignment);

  std::vector<Block> blocks_;
  std::vector<Block> large_;  // what is too large for a block
  std::byte* next_ = nullptr;
  std::byte* end_ = nullptr;
};

}  // namespace stillpoint::sim::run

template <>
struct boost::json::is_deallocate_trivial<stillpoint::sim::run::RunMemory> {
  static constexpr bool value = true;
};
