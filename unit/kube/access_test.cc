#include "kube/access.h"

#include "unit/support/fake_api_server.h"
#include "unit/support/fake_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace stillpoint::kube {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class AccessTest : public testing::Test {
 protected:
  const std::vector<api::ResourceAttributes> wanted_ = {
      {.verb = "create", .resource = "pods", .subresource = "exec"},
      {.verb = "list", .group = "backups.example.com", .resource = "volumebackups"},
      {.ns = "stillpoint-system",
       .verb = "patch",
       .group = "coordination.k8s.io",
       .resource = "leases"}};

  boost::asio::io_context io_{1};
  unit::FakeClock clock_{io_};
  unit::FakeApiServer server_{clock_};
};

TEST_F(AccessTest, NothingIsMissing) {
  EXPECT_THAT(clock_.Run(MissingRights(server_, wanted_)).value(), IsEmpty());
}

TEST_F(AccessTest, NamesEachMissingRight) {
  server_.Forbid("create", "pods/exec");
  server_.Forbid("patch", "leases");
  EXPECT_THAT(clock_.Run(MissingRights(server_, wanted_)).value(),
              ElementsAre("missing right: create pods/exec in all namespaces",
                          "missing right: patch leases.coordination.k8s.io in namespace "
                          "stillpoint-system"));
}

TEST_F(AccessTest, FailsWhenItCannotAsk) {
  server_.FailNext(Verb::kCreate, "selfsubjectaccessreviews", {api::Code::kUnavailable, "down"});
  auto missing = clock_.Run(MissingRights(server_, wanted_));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, api::Code::kUnavailable);
}

}  // namespace
}  // namespace stillpoint::kube
