// The suite's own instruments: what it would not see would pass as good.
#include "e2e/support/backup_fixture.h"
#include "e2e/support/mariadb.h"

#include <gmock/gmock.h>

namespace stillpoint::e2e {
namespace {

using namespace std::chrono_literals;

class Harness : public BackupTest {};

TEST_F(Harness, TheWriterStandsStillBetweenItsHooksAndSaysSo) {
  const StillApp app(kubectl, {.pods = 2, .claims = 2});
  EXPECT_FALSE(app.IsFrozen());
  const std::string pod = app.Pods().front();
  EXPECT_EQ(kubectl.Exec(pod, StillApp::kPreHook), "quiet\n");
  EXPECT_TRUE(app.IsFrozen());
  ASSERT_EQ(app.StoodStill(pod).size(), 1U);
  EXPECT_FALSE(app.StoodStill(pod)[0].until);
  kubectl.Exec(pod, StillApp::kPostHook);
  EXPECT_TRUE(Eventually([&] { return app.StoodStill(pod)[0].until.has_value(); }));
  ExpectNeverStillLongerThan(app, 10s);
  EXPECT_EQ(app.StoodStill(app.Pods().back()).size(), 0U);
}

TEST_F(Harness, TheDatabaseIsWrittenAllTheTime) {
  const MariaDb database(kubectl, {});
  EXPECT_TRUE(database.TablesAgree());
  EXPECT_TRUE(database.Writes());
}

}  // namespace
}  // namespace stillpoint::e2e
