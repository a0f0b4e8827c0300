#include "kube/runtime_metrics.h"

#include "kube/process_stats.h"

#include <chrono>
#include <string>
#include <vector>

namespace stillpoint::kube {

using Type = MetricSample::Type;

namespace {

double Seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

// Counts of long lists are sums of integers below 2^53.
double Number(std::uint64_t count) {
  return static_cast<double>(count);
}

MetricSample GaugeSample(std::string name, std::string help, MetricLabels labels, double value) {
  return {std::move(name), std::move(help), Type::kGauge, std::move(labels), value};
}

MetricSample CounterSample(std::string name, std::string help, MetricLabels labels, double value) {
  return {std::move(name), std::move(help), Type::kCounter, std::move(labels), value};
}

MetricSample SummarySample(std::string name, std::string help, MetricLabels labels,
                           std::chrono::nanoseconds sum, std::uint64_t count) {
  return {std::move(name), std::move(help), Type::kSummary, std::move(labels), Seconds(sum), count};
}

std::vector<MetricSample> QueueSamples(const std::string& name, const WorkQueue::Stats& stats) {
  const MetricLabels labels{{"name", name}};
  return {
      GaugeSample("workqueue_depth", "Keys that are ready.", labels, Number(stats.depth)),
      GaugeSample("workqueue_delayed", "Keys that wait for their time.", labels,
                  Number(stats.delayed)),
      GaugeSample("workqueue_unfinished", "Keys in work.", labels, Number(stats.in_work)),
      GaugeSample("workqueue_longest_running_processor_seconds", "Age of the oldest key in work.",
                  labels, Seconds(stats.longest_work)),
      CounterSample("workqueue_adds_total", "Keys that began to wait.", labels, Number(stats.adds)),
      CounterSample("workqueue_retries_total", "Keys that came back after a failure.", labels,
                    Number(stats.retries)),
      SummarySample("workqueue_queue_duration_seconds", "From ready to taken.", labels,
                    stats.waited, stats.handed_out),
      SummarySample("workqueue_work_duration_seconds", "From taken to done.", labels, stats.worked,
                    stats.handed_out - stats.in_work)};
}

std::vector<MetricSample> PassSamples(const std::string& name, const Controller::Stats& stats) {
  std::vector<MetricSample> samples;
  std::uint64_t failed = stats.exceptions;
  for (const auto& [code, count] : stats.errors) {
    failed += count;
    samples.push_back(
        CounterSample("stillpoint_reconcile_errors_total", "Passes that failed, by code.",
                      {{"controller", name}, {"code", api::ToString(code)}}, Number(count)));
  }
  samples.push_back(CounterSample("stillpoint_reconcile_exceptions_total",
                                  "Passes that ended with an exception.", {{"controller", name}},
                                  Number(stats.exceptions)));
  for (const auto& [result, count] :
       {std::pair{"success", stats.passes - failed}, std::pair{"error", failed}}) {
    samples.push_back(CounterSample("controller_runtime_reconcile_total", "Passes, by result.",
                                    {{"controller", name}, {"result", result}}, Number(count)));
  }
  samples.push_back(SummarySample("controller_runtime_reconcile_time_seconds",
                                  "Time of the passes.", {{"controller", name}}, stats.time,
                                  stats.passes));
  return samples;
}

std::vector<MetricSample> InformerSamples(const std::string& resource,
                                          const internal::InformerFacts& facts) {
  const MetricLabels labels{{"resource", resource}};
  const auto gauge = [&](const char* name, const char* help, double value) {
    return GaugeSample(std::string("stillpoint_informer_") + name, help, labels, value);
  };
  const auto counter = [&](const char* name, const char* help, std::uint64_t value) {
    return CounterSample(std::string("stillpoint_informer_") + name, help, labels, Number(value));
  };
  return {
      gauge("objects", "Objects in the cache.", Number(facts.objects)),
      gauge("synced", "1 when the cache has been complete.", facts.synced ? 1 : 0),
      gauge("problem", "1 while the API server cannot be followed.", facts.problem ? 1 : 0),
      counter("lists_total", "Complete lists.", facts.stats.lists),
      counter("watches_total", "Watches opened.", facts.stats.watches),
      counter("events_total", "Changes seen.", facts.stats.events),
      counter("expired_total", "Watches that were too old to go on (410).", facts.stats.expired),
      counter("failures_total", "Lists and watches that failed.", facts.stats.failures),
      counter("undecodable_total", "Objects that could not be read.", facts.undecodable)};
}

std::vector<MetricSample> ProcessSamples() {
  const ProcessStats stats = ReadProcessStats();
  return {GaugeSample("process_resident_memory_bytes", "Memory in RAM.", {}, stats.resident_bytes),
          GaugeSample("process_virtual_memory_bytes", "Address space.", {}, stats.virtual_bytes),
          GaugeSample("process_open_fds", "Open file descriptors.", {}, stats.open_fds),
          GaugeSample("process_max_fds", "Limit of file descriptors.", {}, stats.max_fds),
          GaugeSample("process_start_time_seconds", "Start, in seconds since 1970.", {},
                      stats.start_time_seconds),
          CounterSample("process_cpu_seconds_total", "CPU time, user and system.", {},
                        stats.cpu_seconds)};
}

}  // namespace

void ExposeController(Metrics& metrics, const Controller& controller) {
  metrics.AddSource(
      [&controller] { return QueueSamples(controller.name(), controller.queue().stats()); });
  metrics.AddSource([&controller] { return PassSamples(controller.name(), controller.stats()); });
}

void ExposeLeaderElector(Metrics& metrics, const LeaderElector& elector) {
  metrics.AddSource([&elector]() -> std::vector<MetricSample> {
    return {GaugeSample("leader_election_master_status", "1 for the leader.", {},
                        elector.IsLeader() ? 1 : 0)};
  });
}

void ExposeEventRecorder(Metrics& metrics, const EventRecorder& recorder) {
  metrics.AddSource([&recorder] {
    const EventRecorder::Stats stats = recorder.stats();
    std::vector<MetricSample> samples;
    for (const auto& [result, count] :
         {std::pair{"written", stats.written}, std::pair{"failed", stats.failed},
          std::pair{"dropped", stats.dropped}, std::pair{"suppressed", stats.suppressed}}) {
      samples.push_back(CounterSample("stillpoint_events_total",
                                      "Kubernetes Events, by what became of "
                                      "them.",
                                      {{"result", result}}, Number(count)));
    }
    return samples;
  });
}

void ExposeProcess(Metrics& metrics) {
  metrics.AddGauge("stillpoint_build_info", "Always 1.", {{"version", STILLPOINT_VERSION}}).Set(1);
  metrics.AddSource(&ProcessSamples);
}

std::function<void(const HttpRequestMetric&)> RequestObserver(Metrics& metrics) {
  return [&metrics](const HttpRequestMetric& request) {
    const std::string verb(request.verb);
    const std::string resource(request.resource);
    const std::string code =
        request.http_status == 0 ? "<error>" : std::to_string(request.http_status);
    metrics
        .AddCounter("rest_client_requests_total", "Requests to the API server, each attempt.",
                    {{"code", code}, {"verb", verb}, {"resource", resource}})
        .Add();
    metrics
        .AddHistogram("rest_client_request_duration_seconds", "Time to the answer, by verb.",
                      {0.005, 0.025, 0.1, 0.5, 1, 5, 15}, {{"verb", verb}})
        .Observe(std::chrono::duration<double>(request.duration).count());
  };
}

void internal::ExposeInformer(Metrics& metrics, std::string resource,
                              std::function<InformerFacts()> facts) {
  metrics.AddSource([resource = std::move(resource), facts = std::move(facts)] {
    return InformerSamples(resource, facts());
  });
}

}  // namespace stillpoint::kube
