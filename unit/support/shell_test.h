// ShellTest: a test of a script, by the name of each shell that a container may have.
#pragma once

#include "unit/support/temp_dir.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::unit {

// The parameter: dash, bash or busybox. Skipped where the machine has it not.
class ShellTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    shell_ = "/bin/" + std::string(GetParam());
    if (std::string_view(GetParam()) == "busybox") {
      shell_ = dir_.Path("sh");
      std::filesystem::create_symlink("/bin/busybox", shell_);
    }
    if (!std::filesystem::exists(shell_)) GTEST_SKIP() << "there is no " << GetParam() << " here";
  }

  // A PATH with these programs only.
  [[nodiscard]] std::string PathOf(const std::vector<std::string>& programs) const {
    const std::filesystem::path bin = dir_.Path("bin");
    std::filesystem::create_directory(bin);
    for (const std::string& program : programs) {
      std::filesystem::create_symlink("/usr/bin/" + program, bin / program);
    }
    return bin.string();
  }

  // No sleep of this many seconds runs on this machine.
  static void ExpectNoTimerOf(std::chrono::seconds bound) {
    const std::string timer = "sleep" + std::string(1, '\0') + std::to_string(bound.count());
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      std::ifstream in(entry.path() / "cmdline");
      const std::string command{std::istreambuf_iterator<char>(in), {}};
      EXPECT_FALSE(command.starts_with(timer)) << entry.path();
    }
  }

  TempDir dir_;
  std::string shell_;  // its path
};

}  // namespace stillpoint::unit
