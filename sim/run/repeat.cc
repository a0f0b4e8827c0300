#include "sim/run/repeat.h"

#include "sim/run/run.h"
#include "sim/run/seeds.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>

namespace stillpoint::sim::run {
namespace {

struct ClosePipe {
  void operator()(std::FILE* pipe) const { pclose(pipe); }
};
using Pipe = std::unique_ptr<std::FILE, ClosePipe>;

// Its memory is filled with `perturb`.
Pipe Start(std::uint64_t seed, std::uint64_t neighbour, int perturb) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  const std::string command =
      fmt::format("MALLOC_PERTURB_={} exec '{}' --events-of {} --neighbour {}", perturb, program,
                  seed, neighbour);
  return Pipe(popen(command.c_str(), "r"));
}

std::string ReadLine(const Pipe& pipe) {
  std::string line;
  std::array<char, 4096> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) {
    line += buffer.data();
    if (line.ends_with('\n')) break;
  }
  return line;
}

bool IsSame(std::uint64_t seed) {
  const Pipe one = Start(seed, seed, 0);
  const Pipe other = Start(seed, seed + 7, 165);
  if (!one || !other) return false;
  for (std::uint64_t number = 0;; ++number) {
    const std::string a = ReadLine(one);
    const std::string b = ReadLine(other);
    if (a != b) {
      fmt::print("seed {}: event {} differs\n  {}  {}", seed, number, a, b);
      return false;
    }
    if (a.empty()) {
      if (number == 0) fmt::print("seed {}: no events at all\n", seed);
      return number > 0;
    }
  }
}

}  // namespace

void PrintEvents(std::uint64_t seed, std::uint64_t neighbour) {
  if (neighbour != seed) (void)Seeds().Run(neighbour);
  (void)RunScenario(Seeds().Of(seed), {.follow = [](const std::string& line, std::uint64_t hash) {
                      fmt::print("{:016x} {}\n", hash, line);
                    }});
}

bool VerifyDeterminism(std::uint64_t first, std::uint64_t count, std::uint64_t step) {
  std::uint64_t different = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!IsSame(first + i * step)) ++different;
  }
  fmt::print("{} seeds run twice, {} of them not the same\n", count, different);
  return different == 0;
}

}  // namespace stillpoint::sim::run
