// The annotations in docs/hooks.md are good ones: every example is planned here, and must be free
// of problems and warnings.
#include "hooks/hook_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <fstream>

namespace stillpoint::hooks {
namespace {

std::vector<std::string> YamlBlocks(const std::filesystem::path& page) {
  std::ifstream in(page);
  std::vector<std::string> blocks;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (inside && line == "```") {
      inside = false;
    } else if (inside) {
      blocks.back() += line + "\n";
    } else if (line == "```yaml") {
      inside = true;
      blocks.emplace_back();
    }
  }
  return blocks;
}

TEST(DocsTest, ShowsHooksThatWork) {
  int planned = 0;
  for (const std::string& block : YamlBlocks(STILLPOINT_SOURCE_DIR "/docs/hooks.md")) {
    const YAML::Node object = YAML::Load(block);
    if (object["kind"].as<std::string>("") != "Deployment") continue;
    PodFacts pod{.name = "pod", .uid = "uid", .containers = {"app", "freezer"}};
    pod.annotations = object["spec"]["template"]["metadata"]["annotations"]
                          .as<std::map<std::string, std::string>>();
    const HookPlan plan = PlanHooks({.pods = {pod}});
    ASSERT_EQ(plan.targets.size(), 1U) << block;
    EXPECT_FALSE(plan.targets[0].pre_command.empty()) << block;
    const bool held = plan.targets[0].mode == api::HookMode::kHeld;
    EXPECT_TRUE(held || !plan.targets[0].post_command.empty()) << block;
    for (const HookNotice& notice : plan.problems) ADD_FAILURE() << notice.message;
    for (const HookNotice& notice : plan.warnings) ADD_FAILURE() << notice.message;
    ++planned;
  }
  EXPECT_EQ(planned, 9);
}

}  // namespace
}  // namespace stillpoint::hooks
