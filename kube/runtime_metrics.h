// The metrics of the machinery in kube/: queues, controllers, informers, requests, the lease,
// Events and the process. Names follow client-go and controller-runtime where they have one, so
// that dashboards made for those show us too.
#pragma once

#include "kube/controller.h"
#include "kube/events.h"
#include "kube/http_client.h"
#include "kube/informer.h"
#include "kube/leader_election.h"
#include "kube/metrics.h"
#include "kube/reflector.h"

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

namespace stillpoint::kube {

// The arguments must outlive `metrics`' last Text().
void ExposeController(Metrics& metrics, const Controller& controller);
void ExposeLeaderElector(Metrics& metrics, const LeaderElector& elector);
void ExposeEventRecorder(Metrics& metrics, const EventRecorder& recorder);

// process_resident_memory_bytes, process_cpu_seconds_total, process_open_fds, process_max_fds,
// process_start_time_seconds, process_virtual_memory_bytes, read from /proc at each scrape; and
// stillpoint_build_info.
void ExposeProcess(Metrics& metrics);

// For HttpClientOptions::observe: counts rest_client_requests_total by code, method and resource,
// and measures rest_client_request_duration_seconds. Keeps a reference to `metrics`.
[[nodiscard]] std::function<void(const HttpRequestMetric&)> RequestObserver(Metrics& metrics);

namespace internal {
struct InformerFacts {
  std::size_t objects = 0;
  std::size_t undecodable = 0;
  bool synced = false;
  bool problem = false;
  Reflector::Stats stats;
};
void ExposeInformer(Metrics& metrics, std::string resource, std::function<InformerFacts()> facts);
}  // namespace internal

template <api::Object T>
void ExposeInformer(Metrics& metrics, const Informer<T>& informer) {
  internal::ExposeInformer(metrics, std::string(T::kResource.plural), [&informer] {
    return internal::InformerFacts{.objects = informer.size(),
                                   .undecodable = informer.undecodable(),
                                   .synced = informer.Synced(),
                                   .problem = informer.Problem().has_value(),
                                   .stats = informer.stats()};
  });
}

}  // namespace stillpoint::kube
