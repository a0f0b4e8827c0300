#include "kube/exec_frames.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace stillpoint::kube {

void PrintTo(const ExecEvent& event, std::ostream* out) {
  switch (event.type) {
    case ExecEvent::Type::kStdout:
      *out << "stdout " << event.data;
      return;
    case ExecEvent::Type::kStderr:
      *out << "stderr " << event.data;
      return;
    case ExecEvent::Type::kExit:
      *out << "exit " << event.exit_code;
      return;
  }
}

namespace {

using Piece = ExecTranscript::Piece;
using std::string_literals::operator""s;

constexpr const char* kSuccess = R"({"metadata":{},"status":"Success"})";
constexpr const char* kExit137 =
    R"({"metadata":{},"status":"Failure","message":"command terminated with non-zero exit code",)"
    R"("reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"137"}]}})";

std::string Failure(const std::string& message) {
  return fmt::format(
      R"({{"metadata":{{}},"status":"Failure","message":"{}","reason":"InternalError",)"
      R"("details":{{"causes":[{{"message":"{}"}}]}},"code":500}})",
      message, message);
}

const api::Error kLost{api::Code::kUnavailable, "lost"};

// The events that can be taken now, joined as far as they are of one stream, and what comes after
// them in words.
std::vector<std::string> Drain(ExecTranscript& transcript) {
  std::vector<std::string> seen;
  ExecEvent::Type last = ExecEvent::Type::kExit;
  for (;;) {
    auto next = transcript.Take();
    if (!next) return seen;
    if (!*next) {
      seen.push_back(fmt::format("{}: {}", ToString(next->error().code), next->error().message));
      return seen;
    }
    const bool exit = (*next)->type == ExecEvent::Type::kExit;
    if (exit) {
      seen.push_back(fmt::format("exit {}", (*next)->exit_code));
    } else if ((*next)->type == last) {
      seen.back() += (*next)->data;
    } else {
      const bool out = (*next)->type == ExecEvent::Type::kStdout;
      seen.push_back((out ? "out " : "err ") + (*next)->data);
    }
    last = (*next)->type;
  }
}

struct StatusCase {
  const char* name;
  std::string json;
  std::optional<int> exit_code;
  api::Code code = api::Code::kUnknown;
};

void PrintTo(const StatusCase& status, std::ostream* out) {
  *out << status.json;
}

class ParseExecStatusTest : public testing::TestWithParam<StatusCase> {};

TEST_P(ParseExecStatusTest, Reads) {
  const auto result = ParseExecStatus(GetParam().json);
  if (GetParam().exit_code) {
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(*result, *GetParam().exit_code);
  } else {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, GetParam().code) << result.error().message;
    EXPECT_FALSE(result.error().message.empty());
  }
}

constexpr auto kInvalid = api::Code::kInvalid;
constexpr auto kUnavailable = api::Code::kUnavailable;

INSTANTIATE_TEST_SUITE_P(
    Statuses, ParseExecStatusTest,
    testing::Values(
        StatusCase{"Success", kSuccess, 0}, StatusCase{"ExitCode", kExit137, 137},
        StatusCase{"NoSuchProgram",
                   Failure("Internal error occurred: error executing command in container: failed "
                           "to exec in container: failed to start exec 5f: OCI runtime exec "
                           "failed: exec failed: unable to start container process: exec: sh: "
                           "executable file not found in $PATH: unknown"),
                   {},
                   kInvalid},
        StatusCase{"NodeAway",
                   Failure("Internal error occurred: error dialing backend: dial tcp "
                           "10.0.0.7:10250: connect: connection refused"),
                   {},
                   kUnavailable},
        StatusCase{"OtherReasonHasNoExitCode",
                   R"({"status":"Failure","reason":"Forbidden","message":"no"})",
                   {},
                   kUnavailable},
        StatusCase{"ExitCodeWithoutCause",
                   R"({"status":"Failure","reason":"NonZeroExitCode"})",
                   {},
                   kUnavailable},
        StatusCase{"ExitCodeThatIsNoNumber",
                   R"({"status":"Failure","reason":"NonZeroExitCode",)"
                   R"("details":{"causes":[{"reason":"ExitCode","message":"7x"}]}})",
                   {},
                   kUnavailable},
        StatusCase{
            "CausesOfAnotherShape",
            R"({"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[1,"a"]}})",
            {},
            kUnavailable},
        StatusCase{"NoJson", "command terminated", {}, kUnavailable},
        StatusCase{"NoObject", "[1]", {}, kUnavailable}, StatusCase{"Empty", "", {}, kUnavailable}),
    [](const auto& info) { return info.param.name; });

TEST(ExecProtocolTest, KnowsTwo) {
  EXPECT_EQ(ParseExecProtocol("v5.channel.k8s.io"), ExecProtocol::kV5);
  EXPECT_EQ(ParseExecProtocol("v4.channel.k8s.io"), ExecProtocol::kV4);
  EXPECT_FALSE(ParseExecProtocol("v3.channel.k8s.io"));
  EXPECT_FALSE(ParseExecProtocol(""));
}

// However the messages are cut into pieces, the events are the same.
TEST(ExecTranscriptTest, EverySplitGivesTheSame) {
  const std::vector<std::string> messages = {"\1hello "s, "\1world"s, "\2oops"s,       "\1"s,
                                             "\xff\1"s,   "\1!"s,     "\3"s + kExit137};
  const std::vector<std::string> want = {"out hello world", "err oops", "out !", "exit 137"};
  std::size_t total = 0;
  for (const auto& message : messages) total += message.size() + 1;
  for (std::size_t cut = 0; cut < total; ++cut) {
    ExecTranscript transcript;
    std::size_t at = 0;
    for (const auto& message : messages) {
      const std::size_t end = at + message.size();
      if (cut >= at && cut <= end) {
        transcript.Feed(std::string_view(message).substr(0, cut - at), Piece::kPart);
        transcript.Feed(std::string_view(message).substr(cut - at), Piece::kLast);
      } else {
        transcript.Feed(message, Piece::kLast);
      }
      at = end + 1;
    }
    EXPECT_TRUE(transcript.has_status());
    transcript.End(kLost);
    auto seen = Drain(transcript);
    ASSERT_EQ(seen.size(), want.size() + 1) << "cut at " << cut;
    seen.pop_back();  // what comes after the exit
    EXPECT_EQ(seen, want) << "cut at " << cut;
  }
}

TEST(ExecTranscriptTest, BytewisePiecesGiveTheSame) {
  ExecTranscript transcript;
  const std::string message = "\1abc"s;
  for (char c : message) transcript.Feed({&c, 1}, Piece::kPart);
  transcript.Feed("", Piece::kLast);
  EXPECT_EQ(Drain(transcript), std::vector<std::string>{"out abc"});
}

TEST(ExecTranscriptTest, OutputCanBeTakenBeforeTheEnd) {
  ExecTranscript transcript;
  EXPECT_FALSE(transcript.Take());
  transcript.Feed("\1frozen\n", Piece::kPart);
  EXPECT_EQ(Drain(transcript), std::vector<std::string>{"out frozen\n"});
  EXPECT_FALSE(transcript.Take());
}

// Status and output travel on different streams: the status may overtake.
TEST(ExecTranscriptTest, ExitIsTheLastEventEvenIfItCameFirst) {
  ExecTranscript transcript;
  transcript.Feed("\3"s + kSuccess, Piece::kLast);
  EXPECT_FALSE(transcript.Take());
  transcript.Feed("\1late", Piece::kLast);
  transcript.End(kLost);
  const auto seen = Drain(transcript);
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[0], "out late");
  EXPECT_EQ(seen[1], "exit 0");
}

TEST(ExecTranscriptTest, EndWithoutStatusIsTheReasonAgainAndAgain) {
  ExecTranscript transcript;
  transcript.Feed("\2half", Piece::kLast);
  transcript.End(kLost);
  transcript.End({kInvalid, "second"});
  transcript.Feed("\1too late", Piece::kLast);
  EXPECT_EQ(Drain(transcript), (std::vector<std::string>{"err half", "Unavailable: lost"}));
  EXPECT_EQ(Drain(transcript), (std::vector<std::string>{"Unavailable: lost"}));
}

TEST(ExecTranscriptTest, CommandThatCannotStartIsAnErrorAndNoExit) {
  ExecTranscript transcript;
  transcript.Feed("\3"s + Failure("OCI runtime exec failed: no such file"), Piece::kLast);
  transcript.End(kLost);
  EXPECT_EQ(Drain(transcript),
            std::vector<std::string>{
                "Invalid: the command cannot be started: OCI runtime exec failed: no such file"});
}

TEST(ExecTranscriptTest, OnlyTheLastClauseOfTheRuntimesChainIsShown) {
  const auto status = ParseExecStatus(
      Failure("Internal error occurred: error executing command in container: failed to exec in "
              "container: failed to start exec 69da: OCI runtime exec failed: exec failed: unable "
              "to start container process: exec: \\\"/nope\\\": stat /nope: no such file or "
              "directory: unknown"));
  ASSERT_FALSE(status);
  EXPECT_EQ(
      status.error().message,
      "the command cannot be started: exec: \"/nope\": stat /nope: no such file or directory");
}

TEST(ExecTranscriptTest, StatusCutOffIsNoStatus) {
  ExecTranscript transcript;
  transcript.Feed("\3{\"status\":\"Succ", Piece::kPart);
  transcript.End(kLost);
  EXPECT_EQ(Drain(transcript), std::vector<std::string>{"Unavailable: lost"});
}

TEST(ExecTranscriptTest, EmptyStatusMessageIsNoStatus) {
  ExecTranscript transcript;
  transcript.Feed("\3", Piece::kLast);  // v4 servers open a channel with an empty message
  EXPECT_FALSE(transcript.has_status());
  transcript.Feed("\3"s + kSuccess, Piece::kLast);
  EXPECT_TRUE(transcript.has_status());
}

TEST(ExecTranscriptTest, MessagesOfNoOrUnknownChannelSayNothing) {
  ExecTranscript transcript;
  transcript.Feed("", Piece::kLast);
  transcript.Feed("\0echo"s, Piece::kLast);
  transcript.Feed("\4resize"s, Piece::kLast);
  EXPECT_FALSE(transcript.Take());
}

TEST(ExecTranscriptTest, AReaderWhoKeepsUpMissesNothing) {
  ExecTranscript transcript;
  const std::string chunk(60'000, 'x');
  std::size_t read = 0;
  for (int i = 0; i < 50; ++i) {
    transcript.Feed("\1" + chunk, Piece::kLast);
    for (auto event = transcript.Take(); event; event = transcript.Take()) {
      EXPECT_EQ((*event)->dropped, 0u);
      read += (*event)->data.size();
    }
  }
  EXPECT_EQ(read, 50 * chunk.size());
}

struct Backlog {
  std::string text;
  std::size_t dropped = 0;
  std::size_t events = 0;
};

Backlog TakeAll(ExecTranscript& transcript) {
  Backlog all;
  for (auto event = transcript.Take(); event && *event; event = transcript.Take()) {
    all.text += (*event)->data;
    all.dropped += (*event)->dropped;
    ++all.events;
  }
  return all;
}

TEST(ExecTranscriptTest, KeepsTheNewestOfWhatNobodyReadAndCountsTheRest) {
  ExecTranscript transcript;
  const std::string chunk(60'000, 'x');
  for (int i = 0; i < 50; ++i) transcript.Feed("\1" + chunk, Piece::kLast);
  transcript.Feed("\2why it failed", Piece::kLast);
  transcript.Feed("\3"s + kExit137, Piece::kLast);
  transcript.End(kLost);
  const Backlog kept = TakeAll(transcript);
  EXPECT_TRUE(kept.text.ends_with("xwhy it failed"));
  EXPECT_LE(kept.text.size(), ExecTranscript::kBacklogLimit);
  EXPECT_GT(kept.text.size(), ExecTranscript::kBacklogLimit / 2);
  EXPECT_EQ(kept.text.size() + kept.dropped, 50 * chunk.size() + "why it failed"s.size());
}

TEST(ExecTranscriptTest, BytesOfTwoStreamsInTurnsAreBoundedToo) {
  ExecTranscript transcript;
  for (int i = 0; i < 100'000; ++i) transcript.Feed(i % 2 == 0 ? "\1o" : "\2e", Piece::kLast);
  const Backlog kept = TakeAll(transcript);
  EXPECT_LE(kept.events * sizeof(ExecEvent), ExecTranscript::kBacklogLimit);
  EXPECT_EQ(kept.text.size() + kept.dropped, 100'000u);
  EXPECT_TRUE(kept.text.ends_with("oeoe"));
}

TEST(ExecTranscriptTest, ManySmallMessagesAreFewEvents) {
  ExecTranscript transcript;
  for (int i = 0; i < 10'000; ++i) transcript.Feed("\1y", Piece::kLast);
  const auto event = transcript.Take();
  ASSERT_TRUE(event && *event);
  EXPECT_EQ((*event)->data.size(), 10'000u);
  EXPECT_FALSE(transcript.Take());
}

}  // namespace
}  // namespace stillpoint::kube
