#include "controllers/restore_observe.h"

#include "api/storage.h"
#include "controllers/restore_hold.h"
#include "controllers/restore_resolve_plan.h"
#include "controllers/restore_source_plan.h"
#include "controllers/restore_status.h"
#include "controllers/workload_client.h"

#include <fmt/format.h>

#include <set>
#include <utility>

namespace stillpoint::controllers::restore {
namespace {

using boost::asio::awaitable;

api::Error Explain(const api::Resource& resource, const char* verb, api::Error error) {
  error.message = fmt::format("cannot {} {}: {}", verb, resource.plural, error.message);
  return error;
}

bool HasBegun(const api::VolumeRestore& restore) {
  return restore.status.phase != api::RestorePhase::kPending &&
         restore.status.phase != api::RestorePhase::kResolving;
}

// What only matters until the first change: the backups to choose from and the rivals.
awaitable<api::Result<void>> ReadRivals(kube::Client& client, View* view) {
  const std::string ns = view->restore.metadata.ns;
  auto backups = co_await kube::List<api::VolumeBackup>(client, {.ns = ns});
  if (!backups) {
    co_return Explain(api::VolumeBackup::kResource, "list", backups.error());
  }
  view->backups = std::move(backups->items);
  auto restores = co_await kube::List<api::VolumeRestore>(client, {.ns = ns});
  if (!restores) {
    co_return Explain(api::VolumeRestore::kResource, "list", restores.error());
  }
  view->restores = std::move(restores->items);
  co_return api::Result<void>();
}

awaitable<api::Result<void>> ReadClaimsAndPods(kube::Client& client, View* view) {
  const std::string ns = view->restore.metadata.ns;
  auto claims = co_await kube::List<api::PersistentVolumeClaim>(client, {.ns = ns});
  if (!claims) {
    co_return Explain(api::PersistentVolumeClaim::kResource, "list", claims.error());
  }
  for (const auto& claim : claims->items) view->claims[claim.metadata.name] = ViewOf(claim);
  auto pods = co_await kube::List<api::Pod>(client, {.ns = ns});
  if (!pods) co_return Explain(api::Pod::kResource, "list", pods.error());
  for (const auto& pod : pods->items) view->pods.push_back(ViewOf(pod));
  co_return api::Result<void>();
}

awaitable<api::Result<void>> ReadWorkload(kube::Client& client, View* view) {
  if (view->restore.spec.strategy == api::RestoreStrategy::kClaimsOnly) {
    co_return api::Result<void>();
  }
  const auto target = ResolveTarget(*view);
  if (!target) co_return api::Result<void>();
  auto workload = co_await GetWorkload(client, view->restore.metadata.ns, *target);
  if (workload) {
    view->workload = std::move(*workload);
  } else if (workload.error().code != api::Code::kNotFound) {
    co_return Explain(ResourceOf(target->kind), "get", workload.error());
  }
  co_return api::Result<void>();
}

// A snapshot that is not found: is it one snapshot that is missing, or the whole API?
awaitable<api::Result<void>> CheckSnapshotApi(kube::Client& client, View* view) {
  auto page = co_await client.Do({.verb = kube::Verb::kList,
                                  .resource = api::VolumeSnapshot::kResource,
                                  .ns = view->restore.metadata.ns,
                                  .limit = 1});
  if (!page && page.error().code == api::Code::kNotFound) {
    view->snapshots_error = api::Error{
        api::Code::kNotFound,
        "the cluster has no VolumeSnapshot API (snapshot.storage.k8s.io): install its CRDs"};
  }
  co_return api::Result<void>();
}

awaitable<api::Result<void>> ReadSnapshots(kube::Client& client, View* view) {
  bool api_checked = false;
  for (const auto& name : SnapshotsToRead(*view)) {
    auto snapshot = co_await kube::Get<api::VolumeSnapshot>(
        client, {.ns = view->restore.metadata.ns, .name = name});
    if (snapshot) {
      view->snapshots[name] = ViewOf(*snapshot);
    } else if (snapshot.error().code == api::Code::kForbidden) {
      view->snapshots_error = Explain(api::VolumeSnapshot::kResource, "get", snapshot.error());
      break;
    } else if (snapshot.error().code == api::Code::kNotFound) {
      if (std::exchange(api_checked, true)) continue;
      auto checked = co_await CheckSnapshotApi(client, view);
      if (!checked || view->snapshots_error) co_return checked;
    } else {
      co_return Explain(api::VolumeSnapshot::kResource, "get", snapshot.error());
    }
  }
  co_return api::Result<void>();
}

// Names of the PersistentVolumes and StorageClasses behind the claims of the restore.
struct Storage {
  std::set<std::string> volumes;
  std::set<std::string> classes;
};

Storage StorageOf(const View& view) {
  Storage storage;
  if (HasBegun(view.restore)) {
    for (const auto& claim : view.restore.status.claims) {
      storage.volumes.insert(claim.old_volume);
      storage.classes.insert(claim.source.storage_class_name);
    }
  } else {
    storage.classes.insert(view.restore.spec.storage_class_name);
    for (const auto& source : FindSources(view).sources) {
      storage.classes.insert(source.shape.storage_class_name);
      if (const auto* old = FindClaim(view, source.claim)) storage.volumes.insert(old->volume);
    }
  }
  if (!IsReplace(view)) storage.volumes.clear();
  storage.volumes.erase("");
  storage.classes.erase("");
  return storage;
}

awaitable<api::Result<void>> ReadVolumes(kube::Client& client, View* view,
                                         std::set<std::string> names) {
  for (const auto& name : names) {
    auto volume = co_await kube::Get<api::PersistentVolume>(client, {.ns = "", .name = name});
    if (volume) {
      view->volumes[name] = ViewOf(*volume);
    } else if (volume.error().code == api::Code::kForbidden) {
      view->volumes_error = Explain(api::PersistentVolume::kResource, "get", volume.error());
      break;
    } else if (volume.error().code != api::Code::kNotFound) {
      co_return Explain(api::PersistentVolume::kResource, "get", volume.error());
    }
  }
  co_return api::Result<void>();
}

awaitable<api::Result<void>> ReadClasses(kube::Client& client, View* view,
                                         std::set<std::string> names) {
  for (const auto& name : names) {
    auto storage_class = co_await kube::Get<api::StorageClass>(client, {.ns = "", .name = name});
    if (storage_class) {
      view->classes[name] = StorageClassView{
          .waits_for_consumer = storage_class->volume_binding_mode == "WaitForFirstConsumer"};
    } else if (storage_class.error().code == api::Code::kNotFound) {
      view->classes[name] = std::nullopt;
    } else if (storage_class.error().code != api::Code::kForbidden) {
      co_return Explain(api::StorageClass::kResource, "get", storage_class.error());
    }
  }
  co_return api::Result<void>();
}

}  // namespace

awaitable<api::Result<View>> Observe(kube::Client& client, api::VolumeRestore restore) {
  View view{.restore = std::move(restore)};
  const bool owed = HasFinalizer(view);
  if (IsFinal(view.restore.status.phase) && !owed) co_return view;
  if (!owed) {
    if (auto read = co_await ReadRivals(client, &view); !read) co_return read.error();
  }
  if (auto read = co_await ReadClaimsAndPods(client, &view); !read) co_return read.error();
  if (auto read = co_await ReadWorkload(client, &view); !read) co_return read.error();
  if (!HasBegun(view.restore)) {
    if (auto read = co_await ReadSnapshots(client, &view); !read) co_return read.error();
  }
  Storage storage = StorageOf(view);
  if (auto read = co_await ReadVolumes(client, &view, std::move(storage.volumes)); !read) {
    co_return read.error();
  }
  if (auto read = co_await ReadClasses(client, &view, std::move(storage.classes)); !read) {
    co_return read.error();
  }
  co_return view;
}

}  // namespace stillpoint::controllers::restore
