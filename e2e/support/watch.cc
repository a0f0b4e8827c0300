#include "e2e/support/watch.h"

#include "e2e/support/json.h"

#include <boost/json/stream_parser.hpp>

#include <fstream>
#include <iterator>
#include <set>
#include <thread>
#include <utility>

namespace stillpoint::e2e {

using Clock = std::chrono::steady_clock;

struct Watch::Stream {
  std::ifstream file;
  boost::json::stream_parser parser;
};

Watch::Watch(Kubectl kubectl, std::string resource, std::filesystem::path file)
    : kubectl_(std::move(kubectl)), resource_(std::move(resource)), file_(std::move(file)) {
  Begin();
}

Watch::~Watch() = default;

void Watch::Begin() {
  process_.reset();
  std::filesystem::remove(file_);
  process_ = std::make_unique<Process>(
      std::vector<std::string>{"kubectl", "--kubeconfig=" + kubectl_.kubeconfig(),
                               "--namespace=" + kubectl_.ns(), "get", resource_, "--watch",
                               "--output-watch-events", "-o", "json"},
      file_);
  stream_ = std::make_unique<Stream>();
  stream_->file.open(file_);
}

// Takes in what has been printed since.
void Watch::Read() {
  stream_->file.clear();
  const std::string text{std::istreambuf_iterator<char>(stream_->file), {}};
  std::string_view rest = text;
  while (!rest.empty()) {
    boost::system::error_code error;
    const std::size_t taken = stream_->parser.write_some(rest.data(), rest.size(), error);
    if (error) break;  // kubectl's complaint on stderr: it has ended, or soon will
    rest.remove_prefix(taken);
    if (!stream_->parser.done()) continue;
    Note(stream_->parser.release());
    stream_->parser.reset();
  }
  if (!process_->Running()) Begin();
}

void Watch::Note(const boost::json::value& event) {
  const std::string name = Text(event, "/object/metadata/name");
  if (name.empty()) return;  // a bookmark, an error
  if (Text(event, "/type") == "DELETED") {
    latest_.erase(name);
    return;
  }
  latest_[name] = event.at("object");
  const std::string phase = Text(event, "/object/status/phase");
  std::vector<std::string>& phases = phases_[name];
  if (!phase.empty() && (phases.empty() || phases.back() != phase)) phases.push_back(phase);
}

boost::json::value Watch::Latest(const std::string& name) {
  Read();
  const auto found = latest_.find(name);
  return found == latest_.end() ? nullptr : found->second;
}

std::vector<std::string> Watch::Phases(const std::string& name) {
  Read();
  return phases_[name];
}

bool Watch::Until(const std::string& name,
                  const std::function<bool(const boost::json::value&)>& condition,
                  std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (!condition(Latest(name))) {
    if (Clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

}  // namespace stillpoint::e2e
