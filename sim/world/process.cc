#include "sim/world/process.h"

#include "sim/world/sim_client.h"
#include "sim/world/sim_clock.h"
#include "sim/world/sim_exec.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace stillpoint::sim {

namespace asio = boost::asio;

namespace {

constexpr int kMostHandlers = 10'000'000;  // between two events: more is an endless loop

}  // namespace

// The order of the members is that of a life. A suspended coroutine is owned by a completion
// handler, and those by what waits on the loop: so at the end the loop goes first, with all of them
// (kube::Waiters), then what they used.
struct Process::Body {
  Body(World& world, Network& network, int life, const ProcessOptions& options)
      : io(std::in_place, 1),
        work(asio::make_work_guard(*io)),
        clock(world, life, options.wall_clock_skew),
        client(world, network, clock, life),
        exec(world, network, client, clock, life) {}

  ~Body() {
    client.Close();
    exec.Close();
    work.reset();
    io.reset();
    program.reset();
  }

  std::optional<asio::io_context> io;
  asio::executor_work_guard<asio::io_context::executor_type> work;
  SimClock clock;
  SimClient client;
  SimExec exec;
  std::unique_ptr<Program> program;
};

Process::Process(World& world, Network& network, ProcessOptions options, const Factory& factory,
                 std::function<void(End)> on_end)
    : world_(world), on_end_(std::move(on_end)) {
  life_ = world_.AddLife(*this);
  body_ = std::make_unique<Body>(world_, network, life_, options);
  kube::LogFn log = options.log ? options.log : [](kube::Severity, std::string_view) {};
  body_->program = factory({.executor = body_->io->get_executor(),
                            .client = body_->client,
                            .exec = body_->exec,
                            .clock = body_->clock,
                            .log = std::move(log),
                            .life = life_,
                            .seed = world_.draws().Bits(DrawStream::kScenario, HashIn(0, "life"),
                                                        static_cast<std::uint64_t>(life_))});
  asio::co_spawn(*body_->io, body_->program->Run(), [this](const std::exception_ptr& thrown) {
    end_ = thrown ? End::kThrew : End::kReturned;
    world_.HasEnded(life_);
  });
  world_.After(std::chrono::milliseconds(0), [] {});  // the event with which it begins to run
}

Process::~Process() {
  on_end_ = nullptr;
  if (body_) world_.BuryNow(life_, true);
}

bool Process::alive() const {
  return body_ != nullptr;
}

void Process::RequestStop() {
  world_.Deliver(life_, World::Duration(0), [this] { body_->program->RequestStop(); });
}

void Process::RunDry() {
  asio::io_context& io = *body_->io;
  if (io.stopped()) io.restart();
  for (int handlers = 0; io.poll_one() > 0; ++handlers) {
    if (handlers > kMostHandlers) throw std::logic_error("the program never becomes idle");
  }
}

void Process::Interrupt() {
  body_->io->stop();
}

void Process::Bury() {
  body_.reset();
  if (!on_end_) return;
  world_.After(std::chrono::milliseconds(0), [on_end = on_end_, end = end_] { on_end(end); });
}

}  // namespace stillpoint::sim
