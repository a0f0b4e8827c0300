// Admission by our schema: what `kubectl apply` says to the files of e2e/bad, and that it takes
// those of e2e/good.
//
// https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation
// https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
#include "contract/support/contract_test.h"
#include "contract/support/yaml.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

namespace stillpoint::contract {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class AdmissionTest : public ContractTest {
 protected:
  static std::set<fs::path> FilesOf(const std::string& folder) {
    std::set<fs::path> files;
    for (const auto& file : fs::directory_iterator(fs::path(STILLPOINT_SOURCE_DIR) / folder)) {
      if (file.path().extension() == ".yaml") files.insert(file.path());
    }
    EXPECT_FALSE(files.empty());
    return files;
  }

  static const api::Resource& ResourceOf(const Json& object) {
    return Text(object, "/kind") == kBackups.kind ? kBackups : kRestores;
  }

  // As kubectl apply --dry-run=server: a creation, or an update of what NAME.yaml.old is.
  Answer Apply(const fs::path& file) {
    constexpr char kQuery[] = "?dryRun=All&fieldValidation=Strict";
    Json object = ReadYaml(file);
    const api::Resource& resource = ResourceOf(object);
    const fs::path old = file.string() + ".old";
    if (!fs::exists(old)) return Send("POST", Path(resource) + kQuery, object);
    const Json made = Create(resource, ReadYaml(old));
    object.at("metadata").as_object()["resourceVersion"] = VersionOf(made);
    return Send("PUT", Path(resource, NameOf(object)) + kQuery, object);
  }

  static std::string ContentsOf(const fs::path& file) {
    std::ifstream stream(file);
    std::string text(std::istreambuf_iterator<char>(stream), {});
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }

  Answer CreateBackup(const std::string& parameters, boost::json::object spec) {
    return Send("POST", Path(kBackups) + parameters,
                Object(kBackups, "one", {{"spec", std::move(spec)}}));
  }
};

TEST_F(AdmissionTest, BadObjectsAreRefusedWithOurWords) {
  for (const fs::path& file : FilesOf("e2e/bad")) {
    const Answer answer = Apply(file);
    EXPECT_GE(answer.status, 400) << file;
    EXPECT_LT(answer.status, 500) << file;
    EXPECT_THAT(answer.Message(), HasSubstr(ContentsOf(file.string() + ".err"))) << file;
  }
}

TEST_F(AdmissionTest, GoodObjectsAreTaken) {
  for (const fs::path& file : FilesOf("e2e/good")) {
    const Answer answer = Apply(file);
    EXPECT_THAT(answer.status, testing::AnyOf(200, 201)) << file << answer.text;
  }
}

// 422, and each cause by its field: what a client can show beside the field.
TEST_F(AdmissionTest, ARefusalNamesEveryCause) {
  const Answer answer =
      CreateBackup("", {{"applicationRef", "x"}, {"ttl", "soon"}, {"maxFreeze", 5}});
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.Reason(), "Invalid");
  EXPECT_EQ(Text(answer.body, "/details/kind"), "VolumeBackup");
  std::set<std::string> fields;
  for (const Json& cause : Elements(answer.body, "/details/causes")) {
    fields.insert(Text(cause, "/field"));
  }
  EXPECT_TRUE(fields.contains("spec.maxFreeze")) << answer.text;
}

TEST_F(AdmissionTest, UnknownFieldsAreDroppedUnlessAskedFor) {
  const Answer answer =
      CreateBackup("?fieldValidation=Ignore", {{"applicationRef", "x"}, {"retries", 3}});
  EXPECT_EQ(answer.status, 201) << answer.text;
  EXPECT_FALSE(Has(answer.body, "/spec/retries"));
}

TEST_F(AdmissionTest, UnknownFieldsAreABadRequestWhenStrict) {
  const Answer answer =
      CreateBackup("?fieldValidation=Strict", {{"applicationRef", "x"}, {"retries", 3}});
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.Reason(), "BadRequest");
  EXPECT_EQ(answer.Message(),
            "VolumeBackup in version \"v1alpha1\" cannot be handled as a VolumeBackup: strict "
            "decoding error: unknown field \"spec.retries\"");
}

// Drops them as well, and says so in a header (Warning: 299).
TEST_F(AdmissionTest, UnknownFieldsAreDroppedWithAWarningByDefault) {
  const Answer answer = CreateBackup("", {{"applicationRef", "x"}, {"retries", 3}});
  EXPECT_EQ(answer.status, 201) << answer.text;
  EXPECT_FALSE(Has(answer.body, "/spec/retries"));
}

TEST_F(AdmissionTest, AnotherKindInTheBodyIsInvalid) {
  const Answer answer = Send("POST", Path(kBackups), Object(kRestores, "one"));
  EXPECT_EQ(answer.status, 422) << answer.text;
  EXPECT_THAT(answer.Message(),
              HasSubstr("kind: Invalid value: \"VolumeRestore\": must be VolumeBackup"));
}

TEST_F(AdmissionTest, ABodyThatIsNoJsonIsABadRequest) {
  const Answer answer = Send("POST", Path(kBackups), Json("text"));
  EXPECT_EQ(answer.status, 400) << answer.text;
}

// The API server reads YAML too, but speaks JSON.
TEST_F(AdmissionTest, AMediaTypeThatNobodyReadsIsUnsupported) {
  const Answer answer = Send("POST", Path(kBackups), Backup("one"), "text/plain");
  EXPECT_EQ(answer.status, 415) << answer.text;
}

// Rules over old and new do not stop a write that leaves the broken part alone (ratcheting), nor
// the status and the finalizers of an object that is going.
TEST_F(AdmissionTest, TransitionRulesAreForUpdatesAlone) {
  Create(kBackups, Backup("one"));
  const Answer changed =
      Send("PATCH", Path(kBackups, "one"), {{"spec", {{"applicationRef", "other"}}}},
           "application/merge-patch+json");
  EXPECT_EQ(changed.status, 422);
  EXPECT_THAT(changed.Message(), HasSubstr("changes applicationRef, which is fixed once"));
  EXPECT_EQ(GenerationOf(Merge(kBackups, "one", {{"spec", {{"cancel", true}}}})), 2);
  const Answer taken_back = Send("PATCH", Path(kBackups, "one"), {{"spec", {{"cancel", nullptr}}}},
                                 "application/merge-patch+json");
  EXPECT_EQ(taken_back.status, 422);
}

}  // namespace
}  // namespace stillpoint::contract
