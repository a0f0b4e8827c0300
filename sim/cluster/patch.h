// The three ways to patch an object, as the API server does them on plain JSON.
#pragma once

#include "api/error.h"

#include <boost/json/value.hpp>

#include <string>

namespace stillpoint::sim {

// RFC 7386.
void MergePatch(boost::json::value& target, const boost::json::value& patch);

// RFC 6902: add, remove, replace, test, copy, move. Errors: kInvalid; `target` is then half done.
[[nodiscard]] api::Result<void> JsonPatch(boost::json::value& target,
                                          const boost::json::value& patch);

// Server-side apply with one field manager: what `before` held and `now` does not is removed from
// `target`, then `now` is merged in. Lists are replaced as a whole, except those that Kubernetes
// merges by key: conditions (type), ownerReferences (uid), containers, volumes, env and other lists
// of named objects (name), and finalizers, which are a set.
void Apply(boost::json::value& target, const boost::json::value& before,
           const boost::json::value& now);

// Takes what is in `theirs` too out of `fields`: what two managers have applied stays when one of
// them applies it no longer. Lists are left as they are.
void Disown(boost::json::value& fields, const boost::json::value& theirs);

// Of two managers' applied fields: where `ours` wants another value than `live` has in a field that
// is in `theirs` too. The first such path, empty when there is none. With kTake those fields are
// removed from `theirs`.
enum class Take { kNothing, kDisputed };
[[nodiscard]] std::string Dispute(const boost::json::value& ours, boost::json::value& theirs,
                                  const boost::json::value& live, Take take);

}  // namespace stillpoint::sim
