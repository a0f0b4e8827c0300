#include "sim/cluster/sim_command.h"

#include "api/duration.h"
#include "hooks/begin_request.h"
#include "hooks/hold_script.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace stillpoint::sim {

using std::chrono::milliseconds;

namespace {

// The arguments of the scripts: {shell, "-c", script, shell, text, bound, mode, "<form>:<key>"},
// and those of the one that reaps: {shell, "-c", script, shell, key, "reap"}.
constexpr std::size_t kScriptArguments = 8;
constexpr std::size_t kReapArguments = 6;
constexpr std::size_t kText = 4;
constexpr std::size_t kBound = 5;
constexpr std::size_t kMode = 6;
constexpr std::size_t kKey = 7;

constexpr milliseconds kBetweenLooks(100);
constexpr int kPatientLooks = 60;
constexpr int kLooks = 75;

milliseconds SecondsOf(const std::string& text) {
  return milliseconds(static_cast<std::int64_t>(std::atof(text.c_str()) * 1000));
}

milliseconds TimeOf(std::string_view text) {
  const auto parsed = api::ParseDuration(text);
  return parsed ? *parsed : milliseconds(0);
}

bool Takes(std::string_view word) {
  constexpr std::array<std::string_view, 8> kWithArgument{
      "app-print",     "app-sleep",     "app-fail",       "app-freeze-slow",
      "app-thaw-slow", "app-hold-slow", "app-hold-early", "app-hold-drop"};
  return std::ranges::find(kWithArgument, word) != kWithArgument.end();
}

std::vector<std::string_view> Split(std::string_view text) {
  constexpr std::string_view kBetween = " \t\n;&|'\"()";
  std::vector<std::string_view> parts;
  while (true) {
    const auto begin = text.find_first_not_of(kBetween);
    if (begin == std::string_view::npos) return parts;
    const auto end = text.find_first_of(kBetween, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    text = text.substr(end);
  }
}

}  // namespace

SimCommand::SimCommand(SimRuntime& runtime, std::uint64_t id, const CommandRequest& request,
                       std::string container_id, CommandSink sink)
    : runtime_(runtime),
      id_(id),
      request_(request),
      container_id_(std::move(container_id)),
      sink_(std::move(sink)) {
  ReadForm();
}

CommandTruth& SimCommand::truth() const {
  return runtime_.truth_.commands[id_ - 1];
}

// ---- reading the argv ---------------------------------------------------------------------------

void SimCommand::ReadForm() {
  const auto& argv = request_.argv;
  std::string text;
  if (argv.size() == kScriptArguments && argv[1] == "-c") {
    text = argv[kText];
    form_ = argv[kMode] == "hold" ? Form::kHeld : Form::kGuarded;
    ends_with_stream_ = argv[kMode] == "stream";
    bound_ = SecondsOf(argv[kBound]);
    key_ = argv[kKey].substr(argv[kKey].find(':') + 1);
  } else if (argv.size() == kReapArguments && argv.back() == "reap") {
    form_ = Form::kReap;
    key_ = argv[kText];
  } else {
    for (const auto& word : argv) text += (text.empty() ? "" : " ") + word;
  }
  CommandTruth& record = truth();
  record.text = text;
  record.form = form_ == Form::kHeld      ? CommandTruth::Form::kHeld
                : form_ == Form::kGuarded ? CommandTruth::Form::kGuarded
                                          : CommandTruth::Form::kPlain;
  // Only the held form gives the command a stdin of its own; without one it is at its end at once.
  stdin_ended_ = !request_.stdin_open;
  has_eof_ = form_ == Form::kGuarded || (form_ == Form::kPlain && stdin_ended_);
  ReadWords(text);
}

void SimCommand::ReadWords(std::string_view text) {
  const auto parts = Split(text);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i].starts_with("app-")) continue;
    const std::string_view name = parts[i];
    const bool takes = Takes(name) && i + 1 < parts.size();
    AddWord(name, takes ? parts[++i] : std::string_view());
  }
}

void SimCommand::AddWord(std::string_view name, std::string_view argument) {
  const auto add = [this](Word word) { words_.push_back(std::move(word)); };
  if (name.ends_with("-slow")) {
    add({.verb = Verb::kSleep, .time = TimeOf(argument)});
    return AddWord(name.substr(0, name.size() - 5), "");
  }
  if (name == "app-freeze" || name == "app-freeze-hang") add({.verb = Verb::kFreeze});
  if (name == "app-thaw") add({.verb = Verb::kThaw});
  if (name == "app-hang" || name == "app-freeze-hang") add({.verb = Verb::kHang});
  if (name == "app-print") add({.verb = Verb::kPrint, .text = std::string(argument)});
  if (name == "app-sleep") add({.verb = Verb::kSleep, .time = TimeOf(argument)});
  if (name == "app-fail") {
    add({.verb = Verb::kFail, .code = std::atoi(std::string(argument).c_str())});
  }
  if (!name.starts_with("app-hold")) return;
  Word hold{.verb = Verb::kHold, .mute = name.ends_with("-mute"), .deaf = name.ends_with("-deaf")};
  if (name.ends_with("-early")) hold.early = TimeOf(argument);
  if (name.ends_with("-drop")) hold.drop = TimeOf(argument);
  add(std::move(hold));
}

// ---- running ------------------------------------------------------------------------------------

void SimCommand::Later(milliseconds delay, void (SimCommand::*then)()) {
  runtime_.timeline_.After(delay, [self = shared_from_this(), then] {
    if (!self->ended_) (self.get()->*then)();
  });
}

void SimCommand::Start() {
  const auto first = form_ == Form::kReap ? &SimCommand::Reap : &SimCommand::Ready;
  Later(runtime_.knobs_.command_start, first);
}

void SimCommand::Ready() {
  ready_ = true;
  ready_at_ = runtime_.timeline_.Now();
  BeginIfTold();
}

void SimCommand::BeginIfTold() {
  if (!ready_ || begun_) return;
  if (form_ != Form::kPlain) {
    if (!told_ && !stdin_ended_) return;
    if (!ToldInTime()) return End(hooks::kNotBegun);
    if (waited_) Print(std::string(hooks::kBegunAnswer));
  }
  begun_ = true;
  truth().begins = runtime_.Now();
  if (bound_) Later(*bound_, &SimCommand::Expire);
  Next();
  if (stdin_ended_ && form_ != Form::kPlain) TakeStreamEnd();
}

// As hooks/begin_request.h does it, with a clock of whole seconds.
bool SimCommand::ToldInTime() const {
  using std::chrono::seconds;
  if (!told_) return false;
  const auto took = std::chrono::floor<seconds>(std::max(*told_, ready_at_)) -
                    std::chrono::floor<seconds>(ready_at_);
  return took <= waited_.value_or(seconds(0)) + hooks::kBeginWithin;
}

void SimCommand::Next() {
  if (next_ == words_.size()) return End(ExitCode(0));
  Do(words_[next_]);
}

void SimCommand::Do(const Word& word) {
  SimRuntime::Container* container = runtime_.Find(request_.pod_uid, request_.container);
  switch (word.verb) {
    case Verb::kFreeze:
      runtime_.Freeze(*container, id_, false);
      return Later(runtime_.knobs_.word, &SimCommand::Advance);
    case Verb::kThaw:
      runtime_.Thaw(*container);
      return Later(runtime_.knobs_.word, &SimCommand::Advance);
    case Verb::kPrint:
      Print(word.text + "\n");
      return Advance();
    case Verb::kSleep:
      return Later(word.time, &SimCommand::Advance);
    case Verb::kFail:
      return End(ExitCode(word.code));
    case Verb::kHold:
      return Hold(word);
    case Verb::kHang:
      return;
  }
}

void SimCommand::Hold(const Word& word) {
  runtime_.Freeze(*runtime_.Find(request_.pod_uid, request_.container), id_, true);
  Later(runtime_.knobs_.word, &SimCommand::MarkHeld);
  if (word.drop) Later(*word.drop, &SimCommand::Drop);
  if (word.early) Later(std::max(*word.early, runtime_.knobs_.word), &SimCommand::EndHold);
}

void SimCommand::MarkHeld() {
  holds_ = true;
  if (!words_[next_].mute) Print(std::string(hooks::kHeldMarker) + "\n");
  TakeEof();
}

void SimCommand::TakeEof() {
  if (holds_ && has_eof_ && !words_[next_].deaf) Later(runtime_.knobs_.word, &SimCommand::EndHold);
}

void SimCommand::EndHold() {
  if (!std::exchange(holds_, false)) return;
  Drop();
  Advance();
}

void SimCommand::Drop() {
  if (auto* container = runtime_.Find(request_.pod_uid, request_.container)) {
    runtime_.Release(*container, id_);
  }
}

void SimCommand::Print(const std::string& text) {
  runtime_.timeline_.After(runtime_.knobs_.stream, [self = shared_from_this(), text] {
    if (!self->sink_) return;
    const CommandSink sink = self->sink_;  // which may drop the stream in answer
    sink(kube::ExecEvent{.type = kube::ExecEvent::Type::kStdout, .data = text});
  });
}

// ---- the stream and the scripts -----------------------------------------------------------------

void SimCommand::OnStdin(std::string_view data) {
  if (ended_ || stdin_ended_ || form_ == Form::kPlain) return;
  stdin_ += data;
  for (auto end = stdin_.find('\n'); end != std::string::npos; end = stdin_.find('\n')) {
    const std::string line = stdin_.substr(0, end + 1);
    stdin_.erase(0, end + 1);
    TakeLine(line);
    if (ended_) return;
  }
}

void SimCommand::TakeLine(const std::string& line) {
  if (!told_) {
    constexpr std::string_view kLater = "begin ";
    if (line.starts_with(kLater)) {
      waited_ = std::chrono::seconds(std::atoi(line.c_str() + kLater.size()));
    } else if (line != hooks::kBeginRequest) {
      return End(hooks::kNotBegun);
    }
    told_ = runtime_.timeline_.Now();
    return BeginIfTold();
  }
  if (form_ != Form::kHeld || line != hooks::kReleaseRequest) return;
  if (!truth().released) truth().released = runtime_.Now();
  GiveEof(Eof::kReleased);
}

void SimCommand::OnStdinEnded() {
  if (ended_ || std::exchange(stdin_ended_, true)) return;
  truth().stream_lost = runtime_.Now();
  if (form_ == Form::kPlain) {
    has_eof_ = true;
    return TakeEof();
  }
  if (begun_) return TakeStreamEnd();
  BeginIfTold();  // or never
}

void SimCommand::TakeStreamEnd() {
  if (form_ == Form::kHeld) return GiveEof(Eof::kStream);
  if (ends_with_stream_) Later(runtime_.knobs_.guard, &SimCommand::EndByGuard);
}

void SimCommand::OnStreamLost() {
  sink_ = nullptr;
  OnStdinEnded();
}

void SimCommand::GiveEof(Eof why) {
  if (eof_ != Eof::kNone) return;
  eof_ = why;
  has_eof_ = true;
  TakeEof();
  Later(hooks::kHoldReleaseGrace, &SimCommand::EndByGuard);
}

// hooks/reap_script.h
void SimCommand::Reap() {
  const auto left = runtime_.HooksWith(key_, container_id_);
  if (left.empty()) return End(0);
  if (++reaped_ > kLooks) return End(1);
  for (const auto& hook : left) reaped_ > kPatientLooks ? hook->Kill(137) : hook->BeReaped();
  Later(kBetweenLooks, &SimCommand::Reap);
}

void SimCommand::BeReaped() {
  if (form_ == Form::kHeld && !begun_) return;  // which listens to its stream alone
  if (form_ == Form::kHeld) return GiveEof(Eof::kExpired);
  Later(runtime_.knobs_.guard, &SimCommand::EndByGuard);
}

void SimCommand::Expire() {
  if (form_ == Form::kHeld) return GiveEof(Eof::kExpired);
  EndByGuard();
}

// ---- the end ------------------------------------------------------------------------------------

int SimCommand::ExitCode(int of_command) const {
  if (form_ != Form::kHeld || of_command != 0) return of_command;
  switch (eof_) {
    case Eof::kReleased:
      return hooks::kHoldReleased;
    case Eof::kStream:
      return hooks::kHoldStreamEnded;
    case Eof::kExpired:
      return hooks::kHoldExpired;
    case Eof::kNone:
      return hooks::kHoldEndedEarly;
  }
  return of_command;
}

void SimCommand::Kill(int exit_code) {
  if (!ended_) End(exit_code);
}

void SimCommand::End(int exit_code) {
  const auto self = shared_from_this();  // the runtime may hold the last reference
  ended_ = true;
  Drop();
  truth().ends = runtime_.Now();
  truth().exit_code = exit_code;
  runtime_.commands_.erase(id_);
  runtime_.timeline_.After(runtime_.knobs_.stream, [self, exit_code] {
    if (!self->sink_) return;
    std::exchange(self->sink_, nullptr)(
        kube::ExecEvent{.type = kube::ExecEvent::Type::kExit, .exit_code = exit_code});
  });
}

}  // namespace stillpoint::sim
