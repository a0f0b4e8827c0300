// MakeExecClient: the ExecClient that speaks to a real API server, over libwebsockets.
// Why a thread of its own: docs/adr/0001-libwebsockets-on-its-own-thread.md.
#pragma once

#include "kube/client.h"
#include "kube/clock.h"
#include "kube/config.h"
#include "kube/exec.h"
#include "kube/log.h"
#include "kube/lws_loop.h"

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace stillpoint::kube {

// Starts the thread and waits until it is ready (some milliseconds). Call the result, and destroy
// it, on the loop of `executor`; after its destructor nothing of it runs. `client` tells which pod
// has the name now; `client` and `clock` must outlive the result.
// A process that makes one ignores SIGPIPE.
// Errors: std::runtime_error when there is no memory or no file descriptor for it. A configuration
// that cannot work is told by each Start(), as kInvalid.
[[nodiscard]] std::unique_ptr<ExecClient> MakeExecClient(boost::asio::any_io_executor executor,
                                                         Client& client, Config config,
                                                         Clock& clock, LogFn log,
                                                         LwsKeepalive keepalive = {});

}  // namespace stillpoint::kube
