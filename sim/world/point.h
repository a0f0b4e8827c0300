// Point: a place in a run, named so that it means the same in another run and in another build:
// whose it is, what happens there, to which object. Every await of a controller that reaches the
// world has points of its own. They are the lines of the trace, and where faults strike.
#pragma once

#include "api/error.h"
#include "api/meta.h"

#include <boost/json/value.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace stillpoint::sim {

enum class Stage {
  kSend,    // has left the controller, which is about to suspend
  kEffect,  // has been carried out (or refused) and the controller does not know yet
  kAnswer,  // is about to be delivered
  kChange,  // an object has changed, by whomever; life 0
  kLife,    // a controller starts, dies, pauses, resumes
};

// Views: valid while it is being reported.
//
// `verb`: as kube::RbacVerb, "watch" and "event" (its delivery), "exec", of a command that runs
// "stdout", "stderr", "exit" (their delivery), "stdin", "eof" (of stdin) and "hangup" (the stream's
// end). For kChange "created", "updated", "deleted".
struct Point {
  int life = 0;  // of the controller; 0: the cluster and its users
  Stage stage = Stage::kSend;
  std::string_view verb;
  std::string_view resource;     // "volumebackups"
  std::string_view subresource;  // "status"
  std::string_view ns;
  std::string_view name;
  const boost::json::value* body = nullptr;     // of a request
  const boost::json::object* object = nullptr;  // as changed
  const api::Error* error = nullptr;            // what became of it
};

[[nodiscard]] std::string_view StageName(Stage stage);

// "answer patch volumebackups/status shop/a", without the life. No word is ever empty: what is
// absent is "-".
[[nodiscard]] std::string Text(const Point& point);

// The name of a point and how often it had been met by that life, so: one moment of a run.
struct Moment {
  int life = 0;
  std::string point;      // as Text()
  std::uint32_t nth = 1;  // from 1
  bool operator==(const Moment&) const = default;
};

}  // namespace stillpoint::sim
