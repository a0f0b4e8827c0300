// Backups that go well: what they promise, measured by the driver's and the application's records.
#include "e2e/support/backup_fixture.h"

#include "e2e/support/json.h"

#include <gmock/gmock.h>

namespace stillpoint::e2e {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(BackupTest, OfAWritingApplicationIsCutWhileItStandsStill) {
  const StillApp app(kubectl, {.claims = 3});
  StartController();
  Backup("nightly", "applicationRef: app");
  const auto backup = WaitEnd("nightly");
  EXPECT_EQ(Outcome(backup), "Completed Application Succeeded");
  EXPECT_EQ(Text(backup, "/status/volumesReady"), "3/3");
  ExpectCutWhileStill(app, backup);
  ExpectNeverStillLongerThan(app, 5s);
}

}  // namespace
}  // namespace stillpoint::e2e
