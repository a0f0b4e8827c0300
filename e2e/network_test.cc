// A network between the controller and the API server that swallows everything.
#include "e2e/support/json.h"
#include "e2e/support/kubeconfig.h"
#include "e2e/support/mariadb.h"
#include "e2e/support/phase_fixture.h"
#include "e2e/support/stalling_proxy.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <optional>
#include <string>
#include <thread>

namespace stillpoint::e2e {
namespace {

using namespace std::chrono_literals;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

class NetworkTest : public PhaseTest {
 protected:
  void SetUp() override {
    PhaseTest::SetUp();
    if (IsSkipped()) return;
    const Endpoint server = ServerOf(cluster.controller_kubeconfig());
    proxy_.emplace(server.host, server.port);
    kubeconfig_ = Scratch("proxied.kubeconfig");
    WriteKubeconfig(cluster.controller_kubeconfig(), kubeconfig_,
                    {.server = fmt::format("https://127.0.0.1:{}", proxy_->port()),
                     .tls_server_name = server.host});
  }

  [[nodiscard]] StallingProxy& network() { return *proxy_; }
  [[nodiscard]] const std::string& kubeconfig() const { return kubeconfig_; }

 private:
  std::optional<StallingProxy> proxy_;
  std::string kubeconfig_;
};

// A command hook that has ended leaves nobody in the pod who could let go: the thaw comes when the
// controller reaches the API server again, however long that takes, and then at once.
TEST_F(NetworkTest, ThatIsABlackHoleDelaysTheThawByNoMoreThanItself) {
  const StillApp app = HoldAt("Cutting");
  StartController({}, kubeconfig());
  Backup("nightly", "applicationRef: app\nmaxFreeze: 4s");
  WaitHeld("nightly", "Cutting", app);
  network().Stall();
  std::this_thread::sleep_for(20s);
  EXPECT_TRUE(app.IsFrozen()) << "somebody else has thawed it";
  const auto back = std::chrono::system_clock::now();
  network().Continue();
  EXPECT_TRUE(Eventually([&] { return !app.IsFrozen(); }, 30s));
  const Stillness still = app.StoodStill().at(0);
  ASSERT_TRUE(still.until);
  const auto late = duration_cast<milliseconds>(*still.until - back);
  fmt::print("[  freeze  ] thawed {} ms after the network was back\n", late.count());
  RecordProperty("thawed_after_ms", std::to_string(late.count()));
  EXPECT_LE(late, 12s);
  Release();
  EXPECT_EQ(Outcome(WaitEnd("nightly")), "Failed - FreezeExpired");
  ExpectNoSnapshots();
}

// Nothing was frozen by what could not be sent.
TEST_F(NetworkTest, ThatIsABlackHoleBeforeTheFreezeFreezesNothingForLong) {
  const StillApp app(kubectl, {});
  StartController({}, kubeconfig());
  network().Stall();
  Backup("nightly", "applicationRef: app\nmaxFreeze: 5s");
  std::this_thread::sleep_for(5s);
  EXPECT_EQ(app.StoodStill().size(), 0U);
  network().Continue();
  EXPECT_EQ(Outcome(WaitEnd("nightly", 60s)), "Completed Application Succeeded");
  ExpectNeverStillLongerThan(app, 5s);
}

// The holder of a controller that has died behind a dead network lives on: nothing has told the
// kubelet that the stream is over. The next controller finds it, and does not wait for its timer.
TEST_F(NetworkTest, ThatIsABlackHoleKeepsNoHolderOfADeadController) {
  const MariaDb database(kubectl, {.annotations = {{"backups.example.com/quiesce", "mariadb"}}});
  StartController({}, kubeconfig());
  driver().CutDelay("60s");
  Backup("nightly", "applicationRef: mysql\nmaxFreeze: 50s");
  WaitPhase("nightly", "Cutting");
  network().Stall();
  controller().Kill9();
  std::this_thread::sleep_for(1s);
  const int rows = database.Rows();
  std::this_thread::sleep_for(1s);
  ASSERT_EQ(database.Rows(), rows) << "the holder has noticed, which this test is not about";
  StartController();  // as soon as the lease of the dead one has run out
  EXPECT_TRUE(Eventually([&] { return database.Rows() > rows; }, 25s));
  driver().CutDelay("");
  EXPECT_EQ(Outcome(WaitEnd("nightly", 20s)), "Failed - ThawedAfterRestart");
  ExpectNoSnapshots();
}

}  // namespace
}  // namespace stillpoint::e2e
