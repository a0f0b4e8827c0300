// Pocket: the embedded cluster, whole: the model behind HTTPS, with processes for containers and
// directories for volumes, and a kubeconfig that kubectl and the controller understand.
#pragma once

#include "api/error.h"
#include "kube/clock.h"
#include "kube/log.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace stillpoint::sim::pocket {

inline constexpr char kContextName[] = "pocket";  // of cluster and user, too

struct PocketOptions {
  std::string directory;   // of volumes, snapshots and logs; made when it is not there
  std::string kubeconfig;  // where to write it
  std::uint16_t port = 0;  // on 127.0.0.1; 0: a free one
};

// Has the namespaces default and kube-system, one node, a default StorageClass and a default
// VolumeSnapshotClass, both called "pocket", and our CRDs. Nothing is kept from one start to the
// next but the directory.
//
// Threads: one, and no others in the process: it forks. Lifetime: the clock outlives it; it
// outlives the run of its loop.
class Pocket {
 public:
  Pocket(boost::asio::any_io_executor executor, kube::Clock& clock, kube::LogFn log,
         PocketOptions options);
  ~Pocket();

  // Errors: kUnavailable (no port, or the kubeconfig cannot be written).
  [[nodiscard]] api::Result<void> Start();

  // Ends all containers and connections.
  [[nodiscard]] boost::asio::awaitable<void> Stop();

  [[nodiscard]] std::string url() const;

  // Do containers have namespaces of their own? (sandbox.h)
  [[nodiscard]] bool sandboxed() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace stillpoint::sim::pocket
