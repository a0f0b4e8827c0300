#include "e2e/support/driver.h"

#include "api/time.h"
#include "e2e/support/json.h"

#include <boost/json/parse.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

namespace stillpoint::e2e {
namespace {

namespace fs = std::filesystem;

// Several programs may turn knobs at once, each for its own namespaces.
class Lock {
 public:
  explicit Lock(const fs::path& file)
      : fd_(open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644)) {
    flock(fd_, LOCK_EX);
  }
  ~Lock() { close(fd_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  const int fd_;
};

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Without the lines that begin so.
std::string WithoutLines(const std::string& text, const std::string& prefix) {
  std::istringstream lines(text);
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && !line.starts_with(prefix)) kept += line + "\n";
  }
  return kept;
}

// The driver reads at any time: it finds the old file or the new one, never half of it.
void Replace(const fs::path& path, const std::string& text) {
  if (text.empty()) {
    fs::remove(path);
    return;
  }
  const fs::path fresh = path.string() + ".new";
  std::ofstream(fresh) << text;
  fs::rename(fresh, path);
}

api::Time TimeAt(const boost::json::value& record, std::string_view pointer) {
  const auto time = api::ParseTime(Text(record, pointer));
  return time ? *time : api::Time{};
}

}  // namespace

Driver::Driver(fs::path state, std::string ns) : root_(state / "btrfs"), ns_(std::move(ns)) {}

Driver::~Driver() {
  const Lock lock(root_ / ".knobs");
  for (const char* knob : {"cut-delay", "ready-delay", "fail-snapshot", "never-ready"}) {
    Replace(root_ / knob, WithoutLines(ReadFile(root_ / knob), ns_ + "/"));
  }
}

void Driver::CutDelay(const std::string& value, const std::string& claim) {
  Set("cut-delay", claim, value);
}

void Driver::ReadyDelay(const std::string& value, const std::string& claim) {
  Set("ready-delay", claim, value);
}

void Driver::FailSnapshot(const std::string& count, const std::string& claim) {
  Set("fail-snapshot", claim, count);
}

void Driver::NeverReady(bool on, const std::string& claim) {
  Set("never-ready", claim, on ? "yes" : "");
}

void Driver::Set(const std::string& knob, const std::string& claim,
                 const std::string& value) const {
  const Lock lock(root_ / ".knobs");
  const std::string place = ns_ + "/" + claim + " ";
  std::string text = WithoutLines(ReadFile(root_ / knob), place);
  if (!value.empty()) text += place + value + "\n";
  Replace(root_ / knob, text);
}

std::map<std::string, Cut> Driver::Cuts() const {
  std::map<std::string, Cut> cuts;
  const fs::path folder = root_ / "cuts" / ns_;
  if (!fs::exists(folder)) return cuts;
  for (const auto& file : fs::directory_iterator(folder)) {
    boost::system::error_code error;
    const boost::json::value record = boost::json::parse(ReadFile(file.path()), error);
    if (error) continue;  // being written
    cuts[file.path().stem()] = {.id = Text(record, "/id"),
                                .claim = Text(record, "/claim"),
                                .requested = TimeAt(record, "/requested"),
                                .start = TimeAt(record, "/cutStart"),
                                .end = TimeAt(record, "/cutEnd")};
  }
  return cuts;
}

fs::path Driver::Contents(const Cut& cut) const {
  return root_ / "snapshots" / cut.id;
}

}  // namespace stillpoint::e2e
