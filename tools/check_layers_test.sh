#!/bin/bash
# check_layers_test.sh: plants one breach of each rule into a clean tree and expects check_layers.sh
# to find it, and plants what is allowed and expects silence.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree"/{api,kube,hooks,controllers,cmd}
tests=0 failures=0

check() { # allowed|breach, file, line of code
  local want=$1 file=$2 line=$3 got=allowed
  printf '%s\n' "$line" >"$tree/$file"
  "$here/check_layers.sh" "$tree" >"$tree/out" || got=breach
  rm "$tree/$file"
  tests=$((tests + 1))
  # Found, and named: the report must point to the line.
  if [[ $got == "$want" && ($want == allowed || $(<"$tree/out") == *"$file"*) ]]; then return; fi
  failures=$((failures + 1))
  echo "check_layers_test: $want expected, $got found: $file: $line"
}

# The arrows.
check allowed api/a.h '#include "api/b.h"'
check breach api/a.h '#include "kube/b.h"'
check breach api/a.h '#  include "hooks/b.h"'
check allowed kube/a.cc '#include "api/b.h"'
check breach kube/a.cc '#include "hooks/b.h"'
check breach kube/a.cc '#include "controllers/b.h"'
for header in exec clock task_group log; do
  check allowed hooks/a.h "#include \"kube/$header.h\""
done
check breach hooks/a.h '#include "kube/client.h"'
check breach hooks/a.h '#include "controllers/b.h"'
check allowed controllers/a.h '#include "hooks/b.h"'
check allowed controllers/a.h '#include "kube/client.h"'
check breach controllers/a.h '#include "cmd/b.h"'
check breach controllers/a.h '#include "sim/b.h"'
check allowed cmd/a.cc '#include "controllers/b.h"'
check breach cmd/a.cc '#include "unit/support/await.h"'
check breach kube/a.h '#include "a_sibling_without_its_folder.h"'

# Plans.
check allowed controllers/x_plan.cc '#include "api/b.h"'
check allowed controllers/x_plan.cc '#include "controllers/y_plan.h"'
check breach controllers/x_plan.cc '#include "kube/clock.h"'
check breach controllers/x_plan.h '#include <boost/asio/awaitable.hpp>'
check breach hooks/x_plan.cc '#include <boost/beast/core.hpp>'
check breach hooks/x_plan.cc '#include <glog/logging.h>'
check breach hooks/x_plan.cc '#include "hooks/hook_runner.h"'
check breach controllers/x_plan.cc '#include <fstream>'
check breach controllers/x_plan.cc '  co_await Something();'
check allowed cmd/control_plane.h '#include "kube/clock.h"'

# Third party.
check allowed kube/http_client.cc '#include <boost/beast/http.hpp>'
check breach kube/http_client.h '#include <boost/beast/http.hpp>'
check breach kube/watch.cc '#include <boost/beast/http.hpp>'
check allowed kube/http_client.cc '#include <openssl/ssl.h>'
check breach hooks/a.cc '#include <openssl/ssl.h>'
check allowed kube/lws_loop.cc '#include <libwebsockets.h>'
check breach kube/lws_exec.h '#include <libwebsockets.h>'
check breach kube/client.cc '#include <libwebsockets.h>'
check allowed kube/kubeconfig.cc '#include <yaml-cpp/yaml.h>'
check breach api/codec.cc '#include <yaml-cpp/yaml.h>'
check allowed controllers/backup_controller.cc '#include <glog/logging.h>'
check breach controllers/backup.cc '#include <glog/logging.h>'
check breach kube/log.h '#include <glog/logging.h>'
check allowed cmd/main.cc '#include <CLI/CLI.hpp>'
check breach kube/a.cc '#include <CLI/CLI.hpp>'
check breach api/a.h '#include <boost/asio/awaitable.hpp>'
echo '#include <yaml-cpp/yaml.h>' >"$tree/kube/config.cc"
check breach kube/other_config.cc '#include <yaml-cpp/yaml.h>'
rm "$tree/kube/config.cc"

# Words.
check breach kube/a.cc 'co_spawn(executor, Run(), asio::detached);'
check breach kube/a.cc 'co_spawn(executor, Run(), detached);'
check breach hooks/a.cc 'const auto now = std::chrono::steady_clock::now();'
check breach controllers/a.cc 'return system_clock::now();'
check allowed kube/clock.cc 'return std::chrono::system_clock::now();'
check breach controllers/a.cc 'std::this_thread::sleep_for(1s);'
check breach kube/a.cc 'std::random_device seed;'
check allowed cmd/main.cc 'std::random_device seed;'
check breach controllers/a.cc 'boost::asio::steady_timer timer(executor);'
check allowed kube/lws_loop.cc 'std::jthread thread_;'
check breach kube/informer.h 'std::mutex mutex_;'
check allowed kube/a.h 'boost::asio::awaitable<void> Get(Client& client, std::string name);'
check breach kube/a.h 'boost::asio::awaitable<void> Get(Client& client, const std::string& name);'
check breach kube/a.h $'awaitable<api::Result<int>> Get(int a,\n    std::string_view name) override {'
check breach controllers/a.cc 'CHECK(frozen);'
check breach controllers/a.cc 'if (error.message.find("conflict") != std::string::npos) return;'
check allowed controllers/a.cc '// not steady_clock::now(): the simulator owns the time'

echo "check_layers_test: $((tests - failures)) of $tests rules hold"
((failures == 0))
