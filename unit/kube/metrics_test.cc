#include "kube/metrics.h"

#include "api/volume_backup.h"
#include "kube/process_stats.h"
#include "kube/runtime_metrics.h"
#include "unit/support/fake_api_server.h"
#include "unit/support/fake_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace stillpoint::kube {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Gt;
using testing::HasSubstr;
using testing::Lt;

TEST(MetricsTest, WritesTheTextFormat) {
  Metrics metrics;
  metrics.AddCounter("b_total", "Things.", {{"kind", "a"}}).Add(2);
  metrics.AddCounter("b_total", "Things.", {{"kind", "a"}}).Add();
  metrics.AddGauge("a", "Level.").Set(1.5);
  auto histogram = metrics.AddHistogram("c_seconds", "Time.", {0.1, 1});
  histogram.Observe(0.05);
  histogram.Observe(0.5);
  metrics.AddSource([] {
    return std::vector<MetricSample>{
        {"b_total", "Things.", MetricSample::Type::kCounter, {{"kind", "quoted \"b\""}}, 4},
        {"d", "Sum.", MetricSample::Type::kSummary, {}, 2.5, 5}};
  });
  EXPECT_EQ(metrics.Text(),
            "# HELP a Level.\n# TYPE a gauge\na 1.5\n"
            "# HELP b_total Things.\n# TYPE b_total counter\n"
            "b_total{kind=\"a\"} 3\nb_total{kind=\"quoted \\\"b\\\"\"} 4\n"
            "# HELP c_seconds Time.\n# TYPE c_seconds histogram\n"
            "c_seconds_count 2\nc_seconds_sum 0.55\n"
            "c_seconds_bucket{le=\"0.1\"} 1\nc_seconds_bucket{le=\"1\"} 2\n"
            "c_seconds_bucket{le=\"+Inf\"} 2\n"
            "# HELP d Sum.\n# TYPE d summary\nd_count 5\nd_sum 2.5\n");
}

boost::asio::awaitable<api::Result<Requeue>> Fail(api::NamespacedName) {
  co_return api::Error{api::Code::kUnavailable, "down"};
}

class RuntimeMetricsTest : public testing::Test {
 protected:
  static LogFn NoLog() {
    return [](Severity, std::string_view) {};
  }

  boost::asio::io_context io_{1};
  unit::FakeClock clock_{io_};
  unit::FakeApiServer server_{clock_};
  Metrics metrics_;
};

TEST_F(RuntimeMetricsTest, ShowsQueueAndPasses) {
  Controller controller(io_.get_executor(), clock_, NoLog(), {.name = "backups"}, &Fail);
  ExposeController(metrics_, controller);
  controller.Start();
  controller.queue().Add({"shop", "a"});
  clock_.Settle();
  EXPECT_THAT(metrics_.Text(),
              AllOf(HasSubstr("workqueue_adds_total{name=\"backups\"} 1\n"),
                    HasSubstr("workqueue_retries_total{name=\"backups\"} 1\n"),
                    HasSubstr("workqueue_work_duration_seconds_count{name=\"backups\"} 1\n"),
                    HasSubstr("stillpoint_reconcile_errors_total{code=\"Unavailable\","
                              "controller=\"backups\"} 1\n"),
                    HasSubstr("controller_runtime_reconcile_total{controller=\"backups\","
                              "result=\"success\"} 0\n")));
  clock_.Run(controller.Stop(1s));
}

TEST_F(RuntimeMetricsTest, ShowsInformerElectionAndEvents) {
  Informer<api::VolumeBackup> informer(io_.get_executor(), server_, clock_, NoLog(), {});
  LeaderElector elector(server_, clock_, NoLog(), {}, {});
  EventRecorder recorder(io_.get_executor(), server_, clock_, NoLog(), {.identity = "me"});
  ExposeInformer(metrics_, informer);
  ExposeLeaderElector(metrics_, elector);
  ExposeEventRecorder(metrics_, recorder);
  EXPECT_THAT(metrics_.Text(),
              AllOf(HasSubstr("stillpoint_informer_synced{resource=\"volumebackups\"} 0\n"),
                    HasSubstr("leader_election_master_status 0\n"),
                    HasSubstr("stillpoint_events_total{result=\"written\"} 0\n")));
  clock_.Run(recorder.Stop(1s));
}

TEST_F(RuntimeMetricsTest, CountsRequests) {
  const auto observe = RequestObserver(metrics_);
  observe({.verb = "get", .resource = "pods", .http_status = 200, .duration = 30ms});
  observe({.verb = "get", .resource = "pods", .http_status = 0, .duration = 15s});
  EXPECT_THAT(metrics_.Text(),
              AllOf(HasSubstr("rest_client_requests_total{code=\"200\",resource=\"pods\","
                              "verb=\"get\"} 1\n"),
                    HasSubstr("code=\"<error>\""),
                    HasSubstr("rest_client_request_duration_seconds_count{verb=\"get\"} 2\n")));
}

TEST_F(RuntimeMetricsTest, ShowsTheProcess) {
  ExposeProcess(metrics_);
  EXPECT_THAT(metrics_.Text(), AllOf(HasSubstr("process_resident_memory_bytes "),
                                     HasSubstr("stillpoint_build_info{version=\"")));
}

TEST(ProcessStatsTest, IsPlausible) {
  const ProcessStats stats = ReadProcessStats();
  EXPECT_THAT(stats.resident_bytes, AllOf(Gt(1 << 20), Lt(stats.virtual_bytes)));
  EXPECT_THAT(stats.open_fds, AllOf(Gt(2), Lt(stats.max_fds)));
  EXPECT_GE(stats.cpu_seconds, 0);
  const auto now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_THAT(stats.start_time_seconds, AllOf(Gt(now - 3600), Lt(now + 2)));
}

}  // namespace
}  // namespace stillpoint::kube
