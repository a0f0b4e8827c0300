#include "e2e/support/cluster_fixture.h"

#include "e2e/support/json.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace stillpoint::e2e {
namespace {

std::string FreshNamespace() {
  static int count = 0;
  return fmt::format("e2e-{}-{}", getpid(), ++count);
}

}  // namespace

ClusterTest::ClusterTest()
    : cluster(Cluster::Get()), ns(FreshNamespace()), kubectl(cluster.Namespace(ns)) {}

ClusterTest::~ClusterTest() = default;

void ClusterTest::SetUp() {
  const CommandResult created = kubectl({"create", "namespace", ns});
  if (created.exit_code != 0) throw std::runtime_error(created.err);
}

void ClusterTest::TearDown() {
  if (HasFailure()) std::puts(Describe().c_str());
  for (const Event& event : EventsOf(kubectl)) {
    EXPECT_TRUE(InVocabulary(event)) << "not in the vocabulary: " << ToString(event);
  }
  DeleteObjects();
  EndController();
  driver_.reset();
  backups_.reset();
  restores_.reset();
  kubectl({"delete", "namespace", ns, "--wait=false"});
}

bool ClusterTest::IsLocal() const {
  if (cluster.local()) return true;
  [] { GTEST_SKIP() << "needs the driver and the services of the local cluster"; }();
  return false;
}

Controller& ClusterTest::StartController(std::vector<std::string> flags, std::string kubeconfig) {
  controller_ = std::make_unique<Controller>(ns, Scratch("controller.log"), std::move(flags),
                                             std::move(kubeconfig));
  controller_->Start();
  return *controller_;
}

Controller& ClusterTest::StartElsewhere(const std::string& served, std::string kubeconfig) {
  controller_ = std::make_unique<Controller>(served, Scratch("controller.log"),
                                             std::vector<std::string>{}, std::move(kubeconfig));
  controller_->StartUnready();
  return *controller_;
}

Driver& ClusterTest::driver() {
  if (!driver_) driver_.emplace(cluster.state(), ns);
  return *driver_;
}

Watch& ClusterTest::backups() {
  if (!backups_) backups_.emplace(kubectl, "volumebackups", Scratch("backups.json"));
  return *backups_;
}

Watch& ClusterTest::restores() {
  if (!restores_) restores_.emplace(kubectl, "volumerestores", Scratch("restores.json"));
  return *restores_;
}

std::vector<Event> ClusterTest::Events(const std::string& name) const {
  std::vector<Event> events = EventsOf(kubectl);
  std::erase_if(events, [&](const Event& event) {
    return event.name != name || !event.kind.starts_with("Volume");
  });
  return events;
}

bool ClusterTest::HasEvent(const std::string& name, const std::string& reason) const {
  // They are written beside the work, so the last ones may come a little later.
  return Eventually(
      [&] {
        return std::ranges::any_of(Events(name),
                                   [&](const Event& event) { return event.reason == reason; });
      },
      std::chrono::seconds(5));
}

std::string ClusterTest::Describe() const {
  std::string text = fmt::format("---- namespace {}\n", ns);
  for (const char* resource : {"volumebackups", "volumerestores"}) {
    for (const auto& object : List(kubectl.Get(resource), "/items")) text += Pretty(object) + "\n";
  }
  text += "---- events\n";
  for (const Event& event : EventsOf(kubectl)) text += ToString(event) + "\n";
  text += "---- objects\n" + kubectl({"get", "pods,pvc,volumesnapshots", "-o", "wide"}).out;
  if (controller_) text += "---- controller\n" + controller_->LogTail(100);
  return text;
}

std::filesystem::path ClusterTest::Scratch(const std::string& name) const {
  const std::filesystem::path folder = cluster.scratch() / ns;
  std::filesystem::create_directories(folder);
  return folder / name;
}

// While the controller is there to let them go; else by force.
void ClusterTest::DeleteObjects() const {
  const bool served = controller_ && controller_->Running();
  const std::string patience = served ? "--timeout=20s" : "--wait=false";
  for (const std::string resource : {"volumerestores", "volumebackups"}) {
    bool gone = kubectl({"delete", resource, "--all", patience}).exit_code == 0 && served;
    const bool says_why = kubectl({"get", resource, "-o", "json"}).out.contains("ThawMayComeLate");
    if (!gone && served && says_why) {  // 52 s in all with the usual time-out
      gone = kubectl({"delete", resource, "--all", "--timeout=60s"}).exit_code == 0;
    }
    if (gone) continue;
    EXPECT_FALSE(served) << resource << " are not let go by the controller";
    for (const std::string& name : kubectl.Names(resource)) {
      kubectl(
          {"patch", resource, name, "--type=merge", "-p", R"({"metadata":{"finalizers":null}})"});
    }
  }
}

void ClusterTest::EndController() {
  if (!controller_) return;
  EXPECT_TRUE(controller_->Running()) << "the controller has ended:\n" << controller_->LogTail(30);
  if (controller_->Running()) {
    EXPECT_EQ(controller_->Terminate(), 0) << controller_->LogTail(30);
  }
  controller_.reset();
}

}  // namespace stillpoint::e2e
