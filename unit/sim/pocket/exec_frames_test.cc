#include "sim/pocket/exec_frames.h"

#include "kube/exec_frames.h"

#include <gtest/gtest.h>

namespace stillpoint::sim::pocket {
namespace {

TEST(ExecProtocolTest, PrefersTheNewest) {
  EXPECT_EQ(ChooseExecProtocol("v4.channel.k8s.io, v5.channel.k8s.io"), "v5.channel.k8s.io");
  EXPECT_EQ(ChooseExecProtocol("channel.k8s.io,v4.channel.k8s.io"), "v4.channel.k8s.io");
  EXPECT_EQ(ChooseExecProtocol("channel.k8s.io"), "");
}

TEST(ExecStatusTest, TheClientReadsTheExitCode) {
  EXPECT_EQ(kube::ParseExecStatus(ExitStatus(0)).value_or(-1), 0);
  EXPECT_EQ(kube::ParseExecStatus(ExitStatus(3)).value_or(-1), 3);
}

TEST(ExecStatusTest, TheClientTellsAMissingProgramFromALostNode) {
  const auto missing =
      kube::ParseExecStatus(ExecFailure({api::Code::kInvalid,
                                         "OCI runtime exec failed: exec failed: unable to start "
                                         "container process: exec: \"x\": executable file not "
                                         "found in $PATH: unknown"}));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, api::Code::kInvalid);
  const auto lost = kube::ParseExecStatus(ExecFailure({api::Code::kUnavailable, "no node"}));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, api::Code::kUnavailable);
}

}  // namespace
}  // namespace stillpoint::sim::pocket
