// pods/exec through the product's client: outputs, exit codes, stdin, and what is refused.
//
// https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/ (pods/exec)
// KEP-4006:
// https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/4006-transition-spdy-to-websockets
#include "contract/support/exec_test.h"

#include <chrono>

namespace stillpoint::contract {
namespace {

using namespace std::chrono_literals;
using api::Code;
using testing::HasSubstr;

TEST_F(ExecTest, StdoutAndStderrComeApart) {
  const Outcome outcome = Sh("echo out; echo err >&2; printf more");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.out, "out\nmore");
  EXPECT_EQ(outcome.err, "err\n");
}

TEST_F(ExecTest, TheExitCodeArrives) {
  EXPECT_EQ(Sh("exit 0").exit_code, 0);
  EXPECT_EQ(Sh("exit 3").exit_code, 3);
  EXPECT_EQ(Sh("exit 255").exit_code, 255);
}

// 128 + the number, as a shell would say.
TEST_F(ExecTest, ASignalIsAnExitCode) {
  EXPECT_EQ(Sh("kill -KILL $$").exit_code, 137);
  EXPECT_EQ(Sh("kill -TERM $$").exit_code, 143);
}

TEST_F(ExecTest, AShellThatFindsNoProgramEndsWith127) {
  const Outcome outcome = Sh("contract-no-such-program");
  EXPECT_EQ(outcome.exit_code, 127);
  EXPECT_THAT(outcome.err, HasSubstr("not found"));
}

// Without a shell the runtime cannot start it: no exit code, and kInvalid by kube/exec_frames.cc.
TEST_F(ExecTest, AProgramThatIsNotThereDoesNotStart) {
  const Outcome outcome = session->Exec(kPod, {"contract-no-such-program"});
  ASSERT_TRUE(outcome.error) << outcome.exit_code;
  EXPECT_EQ(outcome.error->code, Code::kInvalid) << outcome.error->message;
}

TEST_F(ExecTest, AnArgumentArrivesAsItIs) {
  const std::string odd = "a b  'c' \"d\" $e \\f\n&g=h;i é";
  const Outcome outcome = session->Exec(kPod, {"/bin/sh", "-c", "printf %s \"$1\"", "sh", odd});
  EXPECT_EQ(outcome.out, odd);
}

// The server does not wait for a slow reader; what the client then leaves out it counts.
TEST_F(ExecTest, ALargeOutputArrivesWhole) {
  const Outcome outcome = Sh("head -c 900000 /dev/zero | tr '\\0' x; echo end");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.dropped + outcome.out.size(), 900004U);
  EXPECT_TRUE(outcome.out.ends_with("xend\n"));
}

TEST_F(ExecTest, OutputComesWhileTheCommandRuns) {
  auto running = Start("echo here; cat; echo there");
  EXPECT_EQ(NextText(*running), "here\n");
  running->CloseStdin();
  EXPECT_EQ(NextText(*running), "there\n");
  EXPECT_EQ(NextText(*running), "exit 0");
}

// The half close of v5: the command reads the end of its input, and its exit status still comes.
TEST_F(ExecTest, AClosedStdinIsTheEndOfTheInput) {
  auto running = Start("echo holds; cat >/dev/null; exit 4");
  EXPECT_EQ(NextText(*running), "holds\n");
  running->CloseStdin();
  EXPECT_EQ(NextText(*running), "exit 4");
}

// Without stdin the command has an empty one.
TEST_F(ExecTest, WithoutStdinTheInputIsEmpty) {
  const Outcome outcome = Sh("cat; echo done");
  EXPECT_EQ(outcome.out, "done\n");
}

TEST_F(ExecTest, CommandsRunBesideEachOther) {
  auto one = Start("echo one; cat");
  auto two = Start("echo two; cat");
  EXPECT_EQ(NextText(*one), "one\n");
  EXPECT_EQ(NextText(*two), "two\n");
  one->CloseStdin();
  EXPECT_EQ(NextText(*one), "exit 0");
  two->CloseStdin();
  EXPECT_EQ(NextText(*two), "exit 0");
}

TEST_F(ExecTest, TheContainerHasAnId) {
  auto one = Start("cat");
  auto two = Start("cat");
  EXPECT_THAT(one->ContainerId(), HasSubstr("://"));
  EXPECT_EQ(one->ContainerId(), two->ContainerId());
}

// ---- a dropped stream ---------------------------------------------------------------------------

// The dead-man switch of held hooks: whoever drops the stream gives the command its end of input.
TEST_F(ExecTest, ADroppedStreamIsTheEndOfTheInput) {
  const std::string mark = Mark();
  auto running = Start("echo holds; cat >/dev/null; echo thawed >" + mark);
  EXPECT_EQ(NextText(*running), "holds\n");
  running.reset();
  EXPECT_EQ(WaitFor(mark), "thawed\n");
}

// The command does not end with the stream, whoever thinks that a timed-out hook is over.
TEST_F(ExecTest, ACommandGoesOnAfterItsStreamIsDropped) {
  const std::string mark = Mark();
  const std::string go = Mark();
  auto running =
      Start("echo runs; until [ -e " + go + " ]; do sleep 0.05; done; echo late >" + mark);
  EXPECT_EQ(NextText(*running), "runs\n");
  running.reset();
  EXPECT_EQ(Sh("[ ! -e " + mark + " ] && : >" + go).exit_code, 0);
  EXPECT_EQ(WaitFor(mark), "late\n");
}

// What a command prints after its stream is gone does not stop it (no SIGPIPE, no block).
TEST_F(ExecTest, ADroppedStreamDoesNotBlockTheOutput) {
  const std::string mark = Mark();
  auto running = Start("echo runs; cat >/dev/null; head -c 300000 /dev/zero; echo on >" + mark);
  EXPECT_EQ(NextText(*running), "runs\n");
  running.reset();
  EXPECT_EQ(WaitFor(mark), "on\n");
}

// ---- refusals -----------------------------------------------------------------------------------

TEST_F(ExecTest, APodThatIsNotThereIsNotFound) {
  EXPECT_EQ(StartError({.pod = "nobody", .pod_uid = "u", .container = "main"}), Code::kNotFound);
}

TEST_F(ExecTest, APodWithAnotherUidIsNotFound) {
  EXPECT_EQ(StartError({.pod = kPod, .pod_uid = "u", .container = "main"}), Code::kNotFound);
}

TEST_F(ExecTest, AContainerThatIsNotThereIsInvalid) {
  EXPECT_EQ(
      StartError({.pod = kPod, .pod_uid = UidOf(session->Get(kPods, kPod)), .container = "nobody"}),
      Code::kInvalid);
}

// What the API server says itself, before any upgrade.
TEST_F(ExecTest, TheServerRefusesWithAStatus) {
  const ExecSocket no_container(*session, kPod, {"true"}, {.container = "nobody"});
  EXPECT_EQ(no_container.upgrade().status, 400) << no_container.upgrade().text;
  const ExecSocket no_pod(*session, "nobody", {"true"});
  EXPECT_EQ(no_pod.upgrade().status, 404) << no_pod.upgrade().text;
}

// ---- frames -------------------------------------------------------------------------------------

TEST_F(ExecTest, TheBestProtocolIsChosen) {
  const ExecSocket both(*session, kPod, {"true"},
                        {.protocols = "v5.channel.k8s.io, v4.channel.k8s.io"});
  EXPECT_EQ(both.upgrade().status, 101);
  EXPECT_EQ(both.upgrade().protocol, "v5.channel.k8s.io");
  const ExecSocket old(*session, kPod, {"true"}, {.protocols = "v4.channel.k8s.io"});
  EXPECT_EQ(old.upgrade().protocol, "v4.channel.k8s.io");
}

// Channel 3 has one metav1.Status, the last word.
TEST_F(ExecTest, SuccessIsAStatusOnChannel3) {
  ExecSocket socket(*session, kPod, {"/bin/sh", "-c", "echo out; echo err >&2"});
  const auto channels = socket.ReadAll();
  EXPECT_EQ(channels[1], "out\n");
  EXPECT_EQ(channels[2], "err\n");
  EXPECT_EQ(Parse(channels[3]), Parse(R"({"metadata":{},"status":"Success"})"));
}

TEST_F(ExecTest, AnExitCodeIsACauseOfTheStatus) {
  ExecSocket socket(*session, kPod, {"/bin/sh", "-c", "exit 3"});
  const Json status = Parse(socket.ReadAll()[3]);
  EXPECT_EQ(Text(status, "/status"), "Failure");
  EXPECT_EQ(Text(status, "/reason"), "NonZeroExitCode");
  EXPECT_EQ(Text(status, "/details/causes/0/reason"), "ExitCode");
  EXPECT_EQ(Text(status, "/details/causes/0/message"), "3");
  EXPECT_THAT(Text(status, "/message"), HasSubstr("exit code 3"));
}

TEST_F(ExecTest, AProgramThatIsNotThereIsAnInternalError) {
  ExecSocket socket(*session, kPod, {"contract-no-such-program"});
  const Json status = Parse(socket.ReadAll()[3]);
  EXPECT_EQ(Text(status, "/status"), "Failure");
  EXPECT_EQ(Text(status, "/reason"), "InternalError");
  EXPECT_EQ(Number(status, "/code"), 500);
}

// A short one. A surprise: of 600,000 bytes in 20 messages with the close behind them the command
// got 81,900 and ended well, and without the close one run in four stood still before it had them
// all. So nothing long may be sent to stdin.
TEST_F(ExecTest, AShortInputArrivesBeforeItsEnd) {
  ExecSocket socket(*session, kPod, {"/bin/sh", "-c", "wc -c"}, {.stdin_open = true});
  socket.Write(std::string(1000, 'x'));
  socket.CloseStdin();
  const auto channels = socket.ReadAll();
  EXPECT_EQ(std::stoi(channels[1]), 1000);
  EXPECT_EQ(Text(Parse(channels[3]), "/status"), "Success");
}

TEST_F(ExecTest, ALargeOutputIsNotCut) {
  ExecSocket socket(*session, kPod, {"/bin/sh", "-c", "head -c 5000000 /dev/zero"});
  EXPECT_EQ(socket.ReadAll()[1].size(), 5000000U);
}

TEST_F(ExecTest, AClosingHandshakeIsTheEndOfTheInput) {
  const std::string mark = Mark();
  ExecSocket socket(*session, kPod, Holding(mark), {.stdin_open = true});
  socket.ReadUntil("holds");
  socket.Close();
  EXPECT_EQ(WaitFor(mark), "thawed\n");
}

TEST_F(ExecTest, AConnectionThatEndsIsTheEndOfTheInput) {
  const std::string mark = Mark();
  ExecSocket socket(*session, kPod, Holding(mark), {.stdin_open = true});
  socket.ReadUntil("holds");
  socket.Drop();
  EXPECT_EQ(WaitFor(mark), "thawed\n");
}

// A controller that is killed with data on the wire.
TEST_F(ExecTest, AResetConnectionIsTheEndOfTheInput) {
  const std::string mark = Mark();
  ExecSocket socket(*session, kPod, Holding(mark), {.stdin_open = true});
  socket.ReadUntil("holds");
  socket.Reset();
  EXPECT_EQ(WaitFor(mark), "thawed\n");
}

}  // namespace
}  // namespace stillpoint::contract
