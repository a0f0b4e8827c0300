// What an API server keeps, refuses and counts when an object is written. Pure, on plain JSON.
//
// Contract: https://kubernetes.io/docs/reference/using-api/api-concepts/ and the strategies of
// k8s.io/apiserver's registry.
#pragma once

#include "api/error.h"
#include "api/meta.h"
#include "api/resource.h"
#include "kube/client.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stillpoint::sim {

// "volumesnapshots.snapshot.storage.k8s.io", "pods".
[[nodiscard]] std::string PluralAndGroup(const api::Resource& resource);

[[nodiscard]] bool HasStatusSubresource(const api::Resource& resource);

// Whether metadata.generation counts the changes of what is wished for.
[[nodiscard]] bool HasGeneration(const api::Resource& resource);

// Whether a CRD defines it. Those take no update without a resourceVersion.
[[nodiscard]] bool IsCustom(const api::Resource& resource);

[[nodiscard]] api::NamespacedName KeyOf(const kube::Request& request);
[[nodiscard]] api::NamespacedName KeyOf(const boost::json::object& object);

// ---- what the server answers ----

[[nodiscard]] api::Error NotFound(const kube::Request& request);
[[nodiscard]] api::Error Conflict(const kube::Request& request, std::string_view why);
// Somebody else has written since the version that the request names.
[[nodiscard]] api::Error StaleVersion(const kube::Request& request);
[[nodiscard]] api::Error Invalid(const kube::Request& request, std::string_view why);

// The conditions that a write carries in its own metadata: resourceVersion, which is judged first,
// and uid. What another uid means depends on the kind of write.
[[nodiscard]] std::optional<api::Error> CheckPreconditions(const kube::Request& request,
                                                           const boost::json::object& live);

// Those of a deletion, which are in the request.
[[nodiscard]] std::optional<api::Error> CheckDeletePreconditions(const kube::Request& request,
                                                                 const boost::json::object& live);

// ---- metadata ----

boost::json::object& MetadataOf(boost::json::object& object);
[[nodiscard]] const boost::json::object& MetadataOf(const boost::json::object& object);

// The text of a member; empty when it has none.
[[nodiscard]] std::string TextOf(const boost::json::object& object, std::string_view member);

[[nodiscard]] std::int64_t GenerationOf(const boost::json::object& object);
[[nodiscard]] bool IsTerminating(const boost::json::object& object);
[[nodiscard]] bool HasFinalizers(const boost::json::object& object);

// ---- the write ----

// Takes back what this write may not change: through the main resource the status, through a
// subresource everything else, and what is the server's in any case.
void KeepForeign(const kube::Request& request, const boost::json::object& before,
                 boost::json::object& now);

// Takes out what only the server writes, in an object that is to be created.
void DropServersOwn(boost::json::object& object);

// The fields of an applied body that its manager comes to own.
[[nodiscard]] boost::json::value FieldsToOwn(boost::json::value body);

[[nodiscard]] bool AddsFinalizer(const boost::json::object& before, const boost::json::object& now);

enum class Difference {
  kNone,
  kRest,  // in metadata or status only
  kWish,  // in anything else: that counts as a new generation
};
[[nodiscard]] Difference Compare(const boost::json::object& before, const boost::json::object& now);

// Sets the generation of `now`, which is what becomes of `before`.
void CountGeneration(const api::Resource& resource, const boost::json::object& before,
                     Difference difference, boost::json::object& now);

// Whether it is a terminating pod whose kubelet has not let go of it.
[[nodiscard]] bool HasGrace(const boost::json::object& pod);

// Whether a write that leaves `now` behind erases it: the last finalizer of a terminating object is
// gone. A pod waits for its kubelet too.
[[nodiscard]] bool IsLastWrite(const boost::json::object& before, const boost::json::object& now);

}  // namespace stillpoint::sim
