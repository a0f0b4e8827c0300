#include "api/crds.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

namespace stillpoint::api {
namespace {

using testing::HasSubstr;

std::string Read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(CrdsTest, TheFileIsWhatIsPrinted) {
  EXPECT_TRUE(Read(STILLPOINT_SOURCE_DIR "/deploy/crd/stillpoint.yaml") == CrdsYaml())
      << "write it anew: stillpoint crds > deploy/crd/stillpoint.yaml";
}

TEST(CrdsTest, DefaultsAreThoseOfTheStructs) {
  const std::string yaml = CrdsYaml();
  EXPECT_THAT(yaml, HasSubstr("default: '30s'"));
  EXPECT_THAT(yaml, HasSubstr("default: '10m'"));
  EXPECT_THAT(yaml, HasSubstr("default: Repoint"));
  EXPECT_THAT(yaml, HasSubstr("default: false"));
}

}  // namespace
}  // namespace stillpoint::api
