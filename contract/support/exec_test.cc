#include "contract/support/exec_test.h"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace stillpoint::contract {

std::unique_ptr<Session> ExecTest::session;

void ExecTest::SetUpTestSuite() {
  auto fresh = std::make_unique<Session>("exec");
  StartPod(*fresh, Pod(kPod));
  session = std::move(fresh);
}

std::unique_ptr<kube::ExecSession> ExecTest::Start(const std::string& script) {
  auto started = session->Await(session->exec().Start({.ns = session->ns(),
                                                       .pod = kPod,
                                                       .pod_uid = UidOf(session->Get(kPods, kPod)),
                                                       .container = "main",
                                                       .command = {"/bin/sh", "-c", script},
                                                       .stdin_open = true}));
  if (!started) throw std::runtime_error(started.error().message);
  return std::move(*started);
}

std::string ExecTest::NextText(kube::ExecSession& running) {
  auto event = session->Await(kube::WithTimeout<kube::ExecEvent>(
      session->clock(), Session::kPatience, "no output", running.Next()));
  if (!event) return api::ToString(event.error().code);
  if (event->type != kube::ExecEvent::Type::kExit) return event->data;
  return fmt::format("exit {}", event->exit_code);
}

api::Code ExecTest::StartError(kube::ExecRequest request) {
  request.ns = session->ns();
  request.command = {"true"};
  auto started = session->Await(session->exec().Start(std::move(request)));
  if (started) throw std::runtime_error("the command was started");
  return started.error().code;
}

std::string ExecTest::Mark() {
  static int count = 0;
  return fmt::format("/tmp/{}-{}", session->ns(), ++count);
}

std::string ExecTest::WaitFor(const std::string& mark) {
  // The shell that waits has a bound of its own, in turns of 50 ms.
  return session->Sh(kPod,
                     fmt::format("i=0; until [ -s {0} ]; do i=$((i+1)); [ $i -lt 600 ] || exit 9; "
                                 "sleep 0.05; done; cat {0}; rm {0}",
                                 mark));
}

}  // namespace stillpoint::contract
