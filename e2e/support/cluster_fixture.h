// ClusterTest: a test in a fresh namespace of a real cluster, with a controller of its own.
#pragma once

#include "e2e/support/cluster.h"
#include "e2e/support/controller.h"
#include "e2e/support/driver.h"
#include "e2e/support/events.h"
#include "e2e/support/watch.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stillpoint::e2e {

// The controller serves this namespace alone, so that tests do not disturb each other, with the
// rights of deploy/'s ServiceAccount. After each test:
//  - a failed one shows the objects, their Events and the last lines of the controller's log;
//  - the controller must still run, and end with exit code 0 when asked to;
//  - every Event of ours must be of the closed vocabulary;
//  - the namespace is deleted, without waiting for its end.
// Errors: helpers throw std::runtime_error, which fails the test.
class ClusterTest : public testing::Test {
 protected:
  ClusterTest();
  ~ClusterTest() override;
  void SetUp() override;
  void TearDown() override;

  // Call it in SetUp() or first in a test that needs the driver's knobs or the services, and return
  // when it is false: the test is skipped then.
  [[nodiscard]] bool IsLocal() const;

  // Starts the controller of this namespace. `flags`, `kubeconfig`: as for Controller.
  Controller& StartController(std::vector<std::string> flags = {}, std::string kubeconfig = {});

  // One that serves `served` of another API server, and may not be ready at once.
  Controller& StartElsewhere(const std::string& served, std::string kubeconfig);

  [[nodiscard]] Controller& controller() { return *controller_; }

  // The end of the test need not find a running controller: it was killed on purpose.
  void ExpectNoController() { controller_.reset(); }

  [[nodiscard]] Driver& driver();  // REQUIRES: IsLocal()
  [[nodiscard]] Watch& backups();  // of this namespace
  [[nodiscard]] Watch& restores();

  // Of one of our objects, oldest first.
  [[nodiscard]] std::vector<Event> Events(const std::string& name) const;
  [[nodiscard]] bool HasEvent(const std::string& name, const std::string& reason) const;

  // All that helps to understand a failure.
  [[nodiscard]] std::string Describe() const;

  // A file of this test in the run's scratch folder.
  [[nodiscard]] std::filesystem::path Scratch(const std::string& name) const;

  const Cluster& cluster;
  const std::string ns;
  const Kubectl kubectl;

 private:
  void EndController();
  void DeleteObjects() const;

  std::unique_ptr<Controller> controller_;
  std::optional<Driver> driver_;
  std::optional<Watch> backups_;
  std::optional<Watch> restores_;
};

}  // namespace stillpoint::e2e
