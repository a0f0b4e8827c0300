// SimCommand: a command in a container of SimRuntime; what its words do stands there.
#pragma once

#include "sim/cluster/container_runtime.h"
#include "sim/cluster/sim_runtime.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::sim {

class SimCommand : public std::enable_shared_from_this<SimCommand> {
 public:
  SimCommand(SimRuntime& runtime, std::uint64_t id, const CommandRequest& request,
             std::string container_id, CommandSink sink);

  void Start();

  // ---- from the stream ----
  void OnStdin(std::string_view data);
  void OnStdinEnded();
  // Nobody listens any more.
  void OnStreamLost();

  // Its processes are ended, with this exit code.
  void Kill(int exit_code);

  [[nodiscard]] const CommandRequest& request() const { return request_; }
  [[nodiscard]] const std::string& container_id() const { return container_id_; }
  [[nodiscard]] const std::string& key() const { return key_; }

 private:
  enum class Form { kPlain, kGuarded, kHeld, kReap };
  enum class Verb { kFreeze, kThaw, kHold, kPrint, kSleep, kHang, kFail };
  struct Word {
    Verb verb = Verb::kHang;
    std::string text;                   // kPrint
    std::chrono::milliseconds time{0};  // kSleep
    int code = 0;                       // kFail
    bool mute = false;                  // kHold, and so on
    bool deaf = false;
    std::optional<std::chrono::milliseconds> early;
    std::optional<std::chrono::milliseconds> drop;
  };
  // Why the hold script gave the command its end-of-file.
  enum class Eof { kNone, kReleased, kStream, kExpired };

  void ReadForm();
  void ReadWords(std::string_view text);
  void AddWord(std::string_view name, std::string_view argument);

  void Ready();  // the process runs, or the script does and waits for the word to begin
  void BeginIfTold();
  [[nodiscard]] bool ToldInTime() const;
  void TakeLine(const std::string& line);
  void Next();  // does the next word, after its time
  void Do(const Word& word);
  void Hold(const Word& word);
  void TakeStreamEnd();
  void TakeEof();  // a hold that listens ends
  void EndHold();
  void GiveEof(Eof why);  // held form
  void Print(const std::string& text);
  void End(int exit_code);
  [[nodiscard]] int ExitCode(int of_command) const;
  // Runs `then` after `delay` unless the command has ended by then.
  void Later(std::chrono::milliseconds delay, void (SimCommand::*then)());
  void Advance() {
    ++next_;
    Next();
  }
  void MarkHeld();
  void Drop();
  void Expire();
  void EndByGuard() { Kill(143); }
  void Reap();
  void BeReaped();
  [[nodiscard]] CommandTruth& truth() const;

  SimRuntime& runtime_;
  const std::uint64_t id_;
  const CommandRequest request_;
  const std::string container_id_;
  CommandSink sink_;  // empty: nobody listens
  Form form_ = Form::kPlain;
  std::string key_;                // of the hook that it is, or of the one that it reaps
  int reaped_ = 0;                 // how often it has looked
  bool ends_with_stream_ = false;  // guarded
  std::optional<std::chrono::milliseconds> bound_;  // guarded, held
  std::vector<Word> words_;
  std::size_t next_ = 0;
  bool ready_ = false;
  api::Time ready_at_{};
  std::optional<api::Time> told_;               // to begin, in time or not
  std::optional<std::chrono::seconds> waited_;  // as the word said, which is answered then
  bool begun_ = false;
  std::string stdin_;  // the line that is not complete yet
  bool stdin_ended_ = false;
  Eof eof_ = Eof::kNone;
  bool has_eof_ = false;  // at the command itself
  bool holds_ = false;    // in the middle of app-hold
  bool ended_ = false;
};

}  // namespace stillpoint::sim
