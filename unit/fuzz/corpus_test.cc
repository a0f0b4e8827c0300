// The committed corpus, through the same function that the fuzzer calls.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

TEST(CorpusTest, HoldsForEveryInputThatWasFound) {
  std::size_t inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(STILLPOINT_CORPUS_DIR)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    SCOPED_TRACE(entry.path());
    const auto* const data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    EXPECT_EQ(LLVMFuzzerTestOneInput(data, bytes.size()), 0);
    ++inputs;
  }
  EXPECT_GT(inputs, 0U);
}

}  // namespace
