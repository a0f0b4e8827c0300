// Metrics: what the program counts, in the text format that Prometheus reads. A front for
// prometheus-cpp, which only metrics.cc includes.
//
// Contract: Prometheus text exposition format 0.0.4.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace stillpoint::kube {

using MetricLabels = std::map<std::string, std::string>;

// Handles to one time series each; copies mean the same one. Valid as long as their Metrics.
class Counter {
 public:
  explicit Counter(prometheus::Counter& counter) : counter_(&counter) {}
  void Add(double by = 1);  // REQUIRES: by >= 0

 private:
  prometheus::Counter* counter_;
};

class Gauge {
 public:
  explicit Gauge(prometheus::Gauge& gauge) : gauge_(&gauge) {}
  void Set(double value);

 private:
  prometheus::Gauge* gauge_;
};

class Histogram {
 public:
  explicit Histogram(prometheus::Histogram& histogram) : histogram_(&histogram) {}
  void Observe(double value);

 private:
  prometheus::Histogram* histogram_;
};

// One value that somebody else counts, as it is at the time of a scrape.
struct MetricSample {
  enum class Type { kCounter, kGauge, kSummary };

  std::string name;
  std::string help;
  Type type = Type::kGauge;
  MetricLabels labels;
  double value = 0;         // kSummary: the sum
  std::uint64_t count = 0;  // kSummary only
};

// Threads: the loop.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The time series of that name with these labels, made when it is asked for first.
  // REQUIRES: one name is always asked for as the same type; valid Prometheus names.
  Counter AddCounter(const std::string& name, const std::string& help,
                     const MetricLabels& labels = {});
  Gauge AddGauge(const std::string& name, const std::string& help, const MetricLabels& labels = {});
  // `bounds`: upper bounds of the buckets, ascending.
  Histogram AddHistogram(const std::string& name, const std::string& help,
                         const std::vector<double>& bounds, const MetricLabels& labels = {});

  // Asked at every scrape. What it refers to must outlive this.
  using Source = std::function<std::vector<MetricSample>()>;
  void AddSource(Source source);

  // Everything, sorted by name.
  [[nodiscard]] std::string Text() const;

  // The Content-Type of Text().
  static constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace stillpoint::kube
