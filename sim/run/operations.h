// Operations: what people do in a scenario, done to a cluster. People use the API as kubectl does;
// what only a machine can do goes straight to the model.
#pragma once

#include "api/error.h"
#include "sim/admission/schema_admission.h"
#include "sim/cluster/api_server.h"
#include "sim/cluster/timeline.h"
#include "sim/run/breakage.h"
#include "sim/run/scenario.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace stillpoint::sim::run {

// Threads: one. Lifetime: everything given must outlive what it has put on `timeline`.
class Operations {
 public:
  Operations(ApiServer& api, Timeline& timeline, Breakage& breakage, const Scenario& scenario);

  // The cluster's own objects and every application.
  void Install();

  // All pods of all applications are ready.
  [[nodiscard]] bool Ready() const;

  // Total: on what is not there it does nothing.
  void Do(const Operation& operation);

 private:
  void Apply(const api::Resource& resource, const Operation& operation);
  void Patch(const api::Resource& resource, const std::string& name, boost::json::object patch);
  void Delete(const api::Resource& resource, const std::string& name,
              boost::json::object options = {});
  void Annotate(const std::string& backup, std::int64_t times, std::chrono::milliseconds every);
  void PatchApplication(const std::string& name, boost::json::object patch);
  void DeletePod(const Operation& operation);
  void RestartContainer(const Operation& operation);
  void KillHooks(const Operation& operation);
  void DeleteSnapshot(const Operation& operation);
  void DeleteContent(const Operation& operation);
  void DeleteClaim(const Operation& operation);
  void DeleteApplication(const std::string& name);
  void CreateApplication(const std::string& name);

  [[nodiscard]] const Application* Find(std::string_view name) const;
  [[nodiscard]] StoredObject PodOf(const Operation& operation) const;
  [[nodiscard]] std::string SnapshotOf(const Operation& operation) const;
  [[nodiscard]] std::vector<StoredObject> PodsOf(const std::string& application) const;

  ApiServer& api_;
  Timeline& timeline_;
  Breakage& breakage_;
  const Scenario& scenario_;
  const SchemaAdmission& admission_;  // of what people write
  int rolls_ = 0;
};

}  // namespace stillpoint::sim::run
