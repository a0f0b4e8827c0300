#include "kube/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <utility>

namespace stillpoint::kube {

namespace {

prometheus::MetricType TypeOf(MetricSample::Type type) {
  switch (type) {
    case MetricSample::Type::kCounter:
      return prometheus::MetricType::Counter;
    case MetricSample::Type::kGauge:
      return prometheus::MetricType::Gauge;
    case MetricSample::Type::kSummary:
      return prometheus::MetricType::Summary;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric MetricOf(const MetricSample& sample) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : sample.labels) metric.label.push_back({name, value});
  metric.counter.value = sample.value;
  metric.gauge.value = sample.value;
  metric.summary.sample_sum = sample.value;
  metric.summary.sample_count = sample.count;
  return metric;
}

}  // namespace

class Metrics::Impl {
 public:
  prometheus::Registry registry;
  std::vector<Source> sources;
};

void Counter::Add(double by) {
  counter_->Increment(by);
}

void Gauge::Set(double value) {
  gauge_->Set(value);
}

void Histogram::Observe(double value) {
  histogram_->Observe(value);
}

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}

Metrics::~Metrics() = default;

Counter Metrics::AddCounter(const std::string& name, const std::string& help,
                            const MetricLabels& labels) {
  auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(impl_->registry);
  return Counter(family.Add(labels));
}

Gauge Metrics::AddGauge(const std::string& name, const std::string& help,
                        const MetricLabels& labels) {
  auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(impl_->registry);
  return Gauge(family.Add(labels));
}

Histogram Metrics::AddHistogram(const std::string& name, const std::string& help,
                                const std::vector<double>& bounds, const MetricLabels& labels) {
  auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(impl_->registry);
  return Histogram(family.Add(labels, bounds));
}

void Metrics::AddSource(Source source) {
  impl_->sources.push_back(std::move(source));
}

std::string Metrics::Text() const {
  std::map<std::string, prometheus::MetricFamily> families;
  for (auto& family : impl_->registry.Collect()) families[family.name] = std::move(family);
  for (const auto& source : impl_->sources) {
    for (const auto& sample : source()) {
      auto& family = families[sample.name];
      family.name = sample.name;
      family.help = sample.help;
      family.type = TypeOf(sample.type);
      family.metric.push_back(MetricOf(sample));
    }
  }
  std::vector<prometheus::MetricFamily> sorted;
  for (auto& [name, family] : families) sorted.push_back(std::move(family));
  return static_cast<const prometheus::Serializer&>(prometheus::TextSerializer()).Serialize(sorted);
}

}  // namespace stillpoint::kube
