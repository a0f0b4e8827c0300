#include "hooks/prepared_run.h"

#include "hooks/begin_request.h"

#include <string>
#include <utility>

namespace stillpoint::hooks {

using boost::asio::awaitable;

PreparedRun::PreparedRun(boost::asio::any_io_executor executor, kube::ExecClient& exec,
                         kube::Clock& clock, kube::ExecRequest request)
    : exec_(exec),
      clock_(clock),
      request_(std::move(request)),
      enough_(std::make_shared<StopSignal>(executor)),
      news_(executor) {}

awaitable<void> PreparedRun::Keep(std::chrono::milliseconds longest) {
  // However this ends: Begin() may wait for it.
  struct Ended {
    PreparedRun& run;
    ~Ended() {
      run.keeping_ = false;
      if (!run.used_) run.reading_.reset();
      run.news_.NotifyAll();
    }
  };
  const Ended ended{*this};
  co_await RunUntilStopped(clock_, longest, enough_, OpenAndWatch());
}

awaitable<void> PreparedRun::OpenAndWatch() {
  auto started = co_await exec_.Start(std::move(request_));
  if (!started) co_return;
  open_since_ = clock_.SteadyNow();
  reading_ = std::make_unique<ExecReading>(std::move(*started));
  reading_->ExpectAnswer(std::string(kBegunAnswer));
  news_.NotifyAll();
  co_await reading_->ToEnd();
}

awaitable<void> PreparedRun::UntilReady() {
  while (!ready()) co_await news_.Wait();
}

awaitable<std::unique_ptr<ExecReading>> PreparedRun::Begin() {
  const auto open = clock_.SteadyNow() - open_since_;
  reading_->session().WriteStdin(
      LaterBeginRequest(std::chrono::duration_cast<std::chrono::seconds>(open)));
  used_ = true;
  enough_->Ask();
  while (keeping_) co_await news_.Wait();
  co_return std::move(reading_);
}

}  // namespace stillpoint::hooks
