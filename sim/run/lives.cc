#include "sim/run/lives.h"

#include "controllers/manager.h"
#include "sim/run/takeover.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace stillpoint::sim::run {
namespace {

using namespace std::chrono_literals;

class Controller final : public Program {
 public:
  Controller(const Surroundings& around, controllers::ManagerOptions options)
      : manager_({.executor = around.executor,
                  .client = around.client,
                  .exec = around.exec,
                  .clock = around.clock,
                  .log = around.log},
                 std::move(options)) {}

  boost::asio::awaitable<void> Run() override { (void)co_await manager_.Run(); }
  void RequestStop() override { manager_.RequestStop(); }

 private:
  controllers::Manager manager_;
};

controllers::ManagerOptions OptionsOf(const Knobs& knobs, const Surroundings& around) {
  controllers::ManagerOptions options{.identity = fmt::format("life-{}", around.life),
                                      .workers = static_cast<int>(knobs.workers),
                                      .seed = around.seed};
  if (knobs.processes > 1) options.lease = api::NamespacedName{"stillpoint", "stillpoint"};
  return options;
}

}  // namespace

Lives::Lives(World& world, Network& network, const Knobs& knobs, Log log)
    : world_(world),
      network_(network),
      knobs_(knobs),
      log_(std::move(log)),
      slots_(static_cast<std::size_t>(knobs.processes)) {}

Lives::~Lives() = default;

void Lives::Start() {
  for (std::size_t i = 0; i < slots_.size(); ++i) StartOne(i);
}

void Lives::StartOne(std::size_t slot) {
  ProcessOptions options;
  if (slot > 0) options.wall_clock_skew = knobs_.clock_skew;
  if (log_) {
    options.log = [this, slot](kube::Severity, std::string_view text) {
      log_(fmt::format("controller {} says: {}", slot, text), world_.trace().hash());
    };
  }
  slots_[slot] = std::make_unique<Process>(
      world_, network_, std::move(options),
      [this](const Surroundings& around) {
        return std::make_unique<Controller>(around, OptionsOf(knobs_, around));
      },
      [this, slot](Process::End end) { OnEnd(slot, end); });
}

void Lives::OnEnd(std::size_t slot, Process::End end) {
  if (end == Process::End::kThrew) ++threw_;
  gaps_.push_back({world_.Now(), world_.Now() + knobs_.restart_delay + TakeoverTime(knobs_)});
  world_.After(knobs_.restart_delay, [this, slot] { StartOne(slot); });
}

}  // namespace stillpoint::sim::run
