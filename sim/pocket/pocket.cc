#include "sim/pocket/pocket.h"

#include "api/core.h"
#include "api/crds.h"
#include "api/snapshot.h"
#include "api/storage.h"
#include "kube/base64.h"
#include "sim/admission/schema_admission.h"
#include "sim/cluster/api_server.h"
#include "sim/cluster/cluster.h"
#include "sim/pocket/built_in_rules.h"
#include "sim/pocket/defaults.h"
#include "sim/pocket/local_runtime.h"
#include "sim/pocket/local_volumes.h"
#include "sim/pocket/namespaces.h"
#include "sim/pocket/real_timeline.h"
#include "sim/pocket/server.h"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <filesystem>
#include <fstream>
#include <utility>

#include <sys/stat.h>

namespace stillpoint::sim::pocket {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr char kName[] = "pocket";
constexpr char kDriverName[] = "pocket.backups.example.com";
constexpr std::size_t kHistory = 2000;  // changes of each kind that a watch can go back
constexpr std::chrono::seconds kBookmarkPeriod{20};
constexpr api::Resource kCrd{"apiextensions.k8s.io", "v1", "CustomResourceDefinition",
                             "customresourcedefinitions", false};

// The real ones' limits make an application wait for its cut; here there is nobody to protect.
ClusterKnobs Knobs() {
  ClusterKnobs knobs;
  knobs.snapshots.qps = 50;
  knobs.snapshots.burst = 100;
  knobs.node.name = kName;
  knobs.node.pod_start = std::chrono::milliseconds(20);
  knobs.node.restart_backoff = std::chrono::seconds(2);
  return knobs;
}

json::object Default(std::string_view annotation) {
  json::object annotations;
  annotations[annotation] = "true";
  return {{"name", kName}, {"annotations", std::move(annotations)}};
}

void Seed(Objects& objects) {
  for (const char* name : {"default", "kube-system"}) {
    objects.Put(api::Namespace::kResource, {{"metadata", json::object{{"name", name}}}});
  }
  objects.Put(api::StorageClass::kResource,
              {{"metadata", Default("storageclass.kubernetes.io/is-default-class")},
               {"provisioner", kDriverName},
               {"reclaimPolicy", "Delete"},
               {"volumeBindingMode", "Immediate"}});
  objects.Put(api::VolumeSnapshotClass::kResource,
              {{"metadata", Default("snapshot.storage.kubernetes.io/is-default-class")},
               {"driver", kDriverName},
               {"deletionPolicy", "Delete"}});
  for (const json::value& crd : api::Crds()) {
    json::object object = crd.as_object();
    const json::object established{{"type", "Established"}, {"status", "True"}};
    object["status"] = json::object{{"conditions", json::array{established}}};
    objects.Put(kCrd, std::move(object));
  }
}

std::string KubeconfigText(const std::string& url, const KeyPair& authority,
                           const KeyPair& client) {
  return fmt::format(
      "apiVersion: v1\n"
      "kind: Config\n"
      "current-context: {0}\n"
      "clusters:\n"
      "- name: {0}\n"
      "  cluster:\n"
      "    server: {1}\n"
      "    certificate-authority-data: {2}\n"
      "users:\n"
      "- name: {0}\n"
      "  user:\n"
      "    client-certificate-data: {3}\n"
      "    client-key-data: {4}\n"
      "contexts:\n"
      "- name: {0}\n"
      "  context: {{cluster: {0}, user: {0}, namespace: default}}\n",
      kContextName, url, kube::EncodeBase64(authority.certificate_pem),
      kube::EncodeBase64(client.certificate_pem), kube::EncodeBase64(client.key_pem));
}

// Holds a key: for its owner only.
bool WritePrivate(const std::string& path, const std::string& text) {
  const mode_t before = umask(077);
  std::error_code ignored;
  fs::remove(path, ignored);
  std::ofstream file(path);
  umask(before);
  file << text;
  file.close();
  return file.good();
}

}  // namespace

class Pocket::Impl {
 public:
  Impl(asio::any_io_executor executor, kube::Clock& clock, kube::LogFn log, PocketOptions options)
      : options_(std::move(options)),
        timeline_(executor, clock),
        api_([&clock] { return clock.Now(); }),
        volumes_(executor, timeline_, options_.directory),
        runtime_(executor, timeline_, api_, volumes_, options_.directory),
        namespaces_(api_, timeline_),
        cluster_(api_, timeline_, volumes_, runtime_, Knobs(), kDriverName),
        authority_(MakeAuthority("stillpoint pocket")),
        server_(
            executor, api_,
            [this](const CommandRequest& request, CommandSink sink) {
              return cluster_.kubelet().StartCommand(request, std::move(sink));
            },
            [this](const std::string& pod_uid, const std::string& name) {
              return runtime_.LogFile(pod_uid, name);
            },
            clock, std::move(log),
            {.port = options_.port,
             .authority_pem = authority_.certificate_pem,
             .own =
                 MakeCertificate(authority_, "kube-apiserver", "", "DNS:localhost,IP:127.0.0.1")}) {
    api_.objects().KeepHistory(kHistory);
    Seed(api_.objects());
    api_.Compact();  // nobody has seen what was before
    api_.objects().RequireNamespaces();
    api_.objects().SetAdmission([this](const Admission& write) {
      SetDefaults(write.resource, write.object);
      if (auto valid = CheckBuiltIn(write); !valid) return valid;
      return schemas_.Admit(write.resource, write.before, write.subresource, write.object);
    });
    Bookmark();
  }

  api::Result<void> Start() {
    if (auto started = server_.Start(); !started) return started.error();
    const KeyPair client = MakeCertificate(authority_, "kubernetes-admin", "system:masters", "");
    if (!WritePrivate(options_.kubeconfig, KubeconfigText(url(), authority_, client))) {
      return api::Error{api::Code::kUnavailable,
                        fmt::format("cannot write {}", options_.kubeconfig)};
    }
    return {};
  }

  asio::awaitable<void> Stop() {
    runtime_.KillAll();
    co_await server_.Stop();
  }

  [[nodiscard]] std::string url() const {
    return fmt::format("https://127.0.0.1:{}", server_.port());
  }

  [[nodiscard]] bool sandboxed() const { return runtime_.sandboxed(); }

 private:
  void Bookmark() {
    timeline_.After(kBookmarkPeriod, [this] {
      api_.objects().AddBookmark();
      Bookmark();
    });
  }

  const PocketOptions options_;
  const SchemaAdmission schemas_ = SchemaAdmission::FromCrds();
  RealTimeline timeline_;
  ApiServer api_;
  LocalVolumes volumes_;
  LocalRuntime runtime_;
  Namespaces namespaces_;
  Cluster cluster_;
  const KeyPair authority_;
  Server server_;
};

Pocket::Pocket(asio::any_io_executor executor, kube::Clock& clock, kube::LogFn log,
               PocketOptions options)
    : impl_(
          std::make_unique<Impl>(std::move(executor), clock, std::move(log), std::move(options))) {}

Pocket::~Pocket() = default;

api::Result<void> Pocket::Start() {
  return impl_->Start();
}

asio::awaitable<void> Pocket::Stop() {
  return impl_->Stop();
}

std::string Pocket::url() const {
  return impl_->url();
}

bool Pocket::sandboxed() const {
  return impl_->sandboxed();
}

}  // namespace stillpoint::sim::pocket
