// ExecTest: tests of commands in one pod that they share, as a pod takes a second or two.
#pragma once

#include "contract/support/contract_test.h"
#include "contract/support/exec_socket.h"

#include <memory>
#include <string>
#include <vector>

namespace stillpoint::contract {

class ExecTest : public testing::Test {
 protected:
  static constexpr char kPod[] = "shell";

  static void SetUpTestSuite();
  static void TearDownTestSuite() { session.reset(); }
  void SetUp() override { ASSERT_NE(session, nullptr) << "there is no pod"; }

  static Outcome Sh(const std::string& script) {
    return session->Exec(kPod, {"/bin/sh", "-c", script});
  }

  // A shell with its stdin open.
  static std::unique_ptr<kube::ExecSession> Start(const std::string& script);
  // Its next output from either stream, or "exit N", or the word of an error.
  static std::string NextText(kube::ExecSession& running);
  // How a start is refused; `request` is completed with namespace and command.
  static api::Code StartError(kube::ExecRequest request);

  // The name of a file in the container that nothing else uses; and its contents once it is there
  // and not empty.
  static std::string Mark();
  static std::string WaitFor(const std::string& mark);

  // Prints "holds", waits for the end of its input, writes "thawed" to `mark`.
  static std::vector<std::string> Holding(const std::string& mark) {
    return {"/bin/sh", "-c", "echo holds; cat >/dev/null; echo thawed >" + mark};
  }

  static std::unique_ptr<Session> session;
};

}  // namespace stillpoint::contract
