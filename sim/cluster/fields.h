// Fields: reading and writing members of objects as plain JSON. The behaviours of the model cluster
// change objects whose other fields they do not know, so they work on JSON and not on the kinds of
// api/.
#pragma once

#include "api/meta.h"
#include "sim/cluster/write_rules.h"  // IsTerminating, KeyOf

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace stillpoint::sim {

using Path = std::initializer_list<std::string_view>;

// Null when a member of the path is missing, or is no object before the last.
[[nodiscard]] const boost::json::value* At(const boost::json::object& object, Path path);

// Empty, 0, false, null when it is missing or of another type. Views end with the object.
[[nodiscard]] std::string_view Text(const boost::json::object& object, Path path);
[[nodiscard]] std::int64_t Int(const boost::json::object& object, Path path,
                               std::int64_t otherwise = 0);
[[nodiscard]] bool Flag(const boost::json::object& object, Path path);
[[nodiscard]] const boost::json::array* List(const boost::json::object& object, Path path);
[[nodiscard]] const boost::json::object* Map(const boost::json::object& object, Path path);

// The object at `path`, made where it is missing.
boost::json::object& Into(boost::json::object& object, Path path);

// ---- metadata ---------------------------------------------------------------------------------

[[nodiscard]] std::string UidOf(const boost::json::object& object);
[[nodiscard]] std::string_view Annotation(const boost::json::object& object, std::string_view key);
void SetAnnotation(boost::json::object& object, std::string_view key, std::string_view value);
void RemoveAnnotation(boost::json::object& object, std::string_view key);
[[nodiscard]] bool HasFinalizer(const boost::json::object& object, std::string_view finalizer);
void AddFinalizer(boost::json::object& object, std::string_view finalizer);
void RemoveFinalizer(boost::json::object& object, std::string_view finalizer);

// The owner that is marked as its controller: its UID, or empty.
[[nodiscard]] std::string ControllerOf(const boost::json::object& object);
[[nodiscard]] boost::json::object ControllerReference(const boost::json::object& owner);

// ---- values -----------------------------------------------------------------------------------

// As metav1.Time: whole seconds.
[[nodiscard]] std::string Seconds(api::Time time);

// Of spec.resources.requests.storage and its like; 0 when there is none.
[[nodiscard]] std::int64_t Bytes(std::string_view quantity);

// FNV-1a.
[[nodiscard]] std::uint64_t HashOfText(std::string_view text);
// Equal for equal values, whatever member was written first.
[[nodiscard]] std::uint64_t HashOf(const boost::json::value& value);
[[nodiscard]] std::uint64_t HashOf(const boost::json::object& object);

// Ten characters that stand for a hash in a name or a label.
[[nodiscard]] std::string ShortHash(std::uint64_t hash);

// Sets a condition of status.conditions, its transition time only if the status changes.
void SetStatusCondition(boost::json::object& object, std::string_view type, bool status,
                        std::string_view reason, std::string_view message, api::Time now);
// "True", "False", "Unknown", or empty.
[[nodiscard]] std::string_view ConditionStatus(const boost::json::object& object,
                                               std::string_view type);

}  // namespace stillpoint::sim
