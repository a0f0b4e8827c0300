// Claims and volumes: protection, reclaim policies, and the re-binding that a restore by Replace
// rests on (controllers/exchange_plan.cc).
//
// https://kubernetes.io/docs/concepts/storage/persistent-volumes/
#include "contract/support/contract_test.h"

#include <fmt/format.h>

namespace stillpoint::contract {
namespace {

using kube::Verb;
using testing::Contains;
using testing::HasSubstr;

class VolumeTest : public ContractTest {
 protected:
  Json UntilPhase(const api::Resource& resource, const std::string& name,
                  const std::string& phase) {
    return Until(
        resource, name, [phase](const Json& now) { return Text(now, "/status/phase") == phase; },
        phase);
  }

  // Claim `name` on the given volume, with the class that the volume is of.
  static Json ClaimOn(const std::string& name, const Json& volume) {
    Json claim = Claim(name);
    auto& spec = claim.at("spec").as_object();
    spec["volumeName"] = NameOf(volume);
    spec["storageClassName"] = Text(volume, "/spec/storageClassName");
    return claim;
  }

  void SetPolicy(const std::string& volume, const std::string& policy) {
    Merge(kVolumes, volume, {{"spec", {{"persistentVolumeReclaimPolicy", policy}}}});
  }

  // As controllers/restore_act.cc: by name, with the old uid and version taken out.
  Json Reserve(const std::string& volume, const std::string& claim) {
    return Merge(kVolumes, volume,
                 {{"spec",
                   {{"claimRef",
                     {{"apiVersion", "v1"},
                      {"kind", "PersistentVolumeClaim"},
                      {"namespace", ns()},
                      {"name", claim},
                      {"uid", nullptr},
                      {"resourceVersion", nullptr}}}}}});
  }
};

TEST_F(VolumeTest, AClaimGetsAVolumeOfItsClass) {
  const Json storage_class = FindStorageClass(*this);
  const Json claim = BoundClaim(*this, Claim("data"));
  EXPECT_EQ(Text(claim, "/spec/storageClassName"), NameOf(storage_class));
  EXPECT_EQ(Text(claim, "/spec/volumeMode"), "Filesystem");
  EXPECT_TRUE(Has(claim, "/status/capacity/storage"));
  const Json volume = Get(kVolumes, Text(claim, "/spec/volumeName"));
  EXPECT_EQ(Text(volume, "/status/phase"), "Bound");
  EXPECT_EQ(Text(volume, "/spec/claimRef/uid"), UidOf(claim));
  EXPECT_EQ(Text(volume, "/spec/claimRef/name"), "data");
  EXPECT_EQ(Text(volume, "/spec/claimRef/namespace"), ns());
  EXPECT_EQ(Text(volume, "/spec/storageClassName"), NameOf(storage_class));
  EXPECT_EQ(Text(volume, "/spec/csi/driver"), Text(storage_class, "/provisioner"));
  EXPECT_FALSE(Text(volume, "/spec/csi/volumeHandle").empty());
}

TEST_F(VolumeTest, TheSpecOfAClaimIsFixed) {
  Create(kClaims, Claim("data"));
  const Answer answer = Send("PATCH", Path(kClaims, "data"), {{"spec", {{"volumeName", "other"}}}},
                             "application/merge-patch+json");
  // While it is unbound the volume may still be named.
  if (answer.status != 200) EXPECT_EQ(answer.status, 422) << answer.text;
  const Answer modes =
      Send("PATCH", Path(kClaims, "data"), {{"spec", {{"accessModes", List({"ReadOnlyMany"})}}}},
           "application/merge-patch+json");
  EXPECT_EQ(modes.status, 422);
  EXPECT_THAT(modes.Message(), HasSubstr("spec is immutable after creation"));
}

TEST_F(VolumeTest, ByTheDeletePolicyTheVolumeGoesWithItsClaim) {
  const std::string volume = Text(BoundClaim(*this, Claim("data")), "/spec/volumeName");
  SetPolicy(volume, "Delete");
  Delete(kClaims, "data");
  UntilGone(kClaims, "data");
  UntilGone(kVolumes, volume);
}

// kubernetes.io/pvc-protection: while a pod uses it, a claim is only marked.
TEST_F(VolumeTest, AClaimThatAPodUsesStaysUntilThePodIsGone) {
  Create(kClaims, Claim("data"));
  StartPod(*this, Pod("user", "data"));
  EXPECT_THAT(Texts(Get(kClaims, "data"), "/metadata/finalizers"),
              Contains("kubernetes.io/pvc-protection"));
  Delete(kClaims, "data");
  const Json marked = Until(
      kClaims, "data", [](const Json& now) { return Has(now, "/metadata/deletionTimestamp"); },
      "terminating");
  EXPECT_EQ(Text(marked, "/status/phase"), "Bound");
  EXPECT_EQ(Sh("user", fmt::format("echo still here >{0}/f; cat {0}/f", kData)), "still here\n");
  EXPECT_TRUE(Exists(kClaims, "data"));
  Delete(kPods, "user");
  UntilGone(kPods, "user");
  UntilGone(kClaims, "data");
}

// ---- Replace ------------------------------------------------------------------------------------

TEST_F(VolumeTest, ByTheRetainPolicyTheVolumeIsReleased) {
  const Json claim = BoundClaim(*this, Claim("data"));
  const std::string volume = Text(claim, "/spec/volumeName");
  SetPolicy(volume, "Retain");
  Delete(kClaims, "data");
  UntilGone(kClaims, "data");
  const Json released = UntilPhase(kVolumes, volume, "Released");
  EXPECT_EQ(Text(released, "/spec/claimRef/uid"), UidOf(claim)) << "it remembers";
  SetPolicy(volume, "Delete");
  UntilGone(kVolumes, volume);
}

// A claim of the same name does not get a released volume back by itself: it has another uid.
TEST_F(VolumeTest, ANamesakeIsNotGivenAReleasedVolume) {
  const std::string volume = Text(BoundClaim(*this, Claim("data")), "/spec/volumeName");
  SetPolicy(volume, "Retain");
  Delete(kClaims, "data");
  UntilGone(kClaims, "data");
  UntilPhase(kVolumes, volume, "Released");
  const Json again = BoundClaim(*this, Claim("data"));
  EXPECT_NE(Text(again, "/spec/volumeName"), volume);
  SetPolicy(volume, "Delete");
}

// Reserved for a name it is Available again, and a claim of that name that names it is Bound.
TEST_F(VolumeTest, AReservedVolumeIsBoundToTheClaimThatNamesIt) {
  Create(kClaims, Claim("data"));
  StartPod(*this, Pod("writer", "data"));
  Sh("writer", fmt::format("echo old >{}/f; sync", kData));
  Delete(kPods, "writer");
  UntilGone(kPods, "writer");
  const Json claim = Get(kClaims, "data");
  const std::string volume = Text(claim, "/spec/volumeName");
  SetPolicy(volume, "Retain");
  Delete(kClaims, "data");
  UntilGone(kClaims, "data");
  UntilPhase(kVolumes, volume, "Released");

  const Json reserved = Reserve(volume, "data-before");
  EXPECT_EQ(Text(reserved, "/spec/claimRef/name"), "data-before");
  EXPECT_FALSE(Has(reserved, "/spec/claimRef/uid"));
  UntilPhase(kVolumes, volume, "Available");
  Create(kClaims, ClaimOn("data-before", reserved));
  const Json kept = UntilPhase(kClaims, "data-before", "Bound");
  const Json bound = UntilPhase(kVolumes, volume, "Bound");
  EXPECT_EQ(Text(bound, "/spec/claimRef/uid"), UidOf(kept));
  EXPECT_EQ(Text(bound, "/spec/persistentVolumeReclaimPolicy"), "Retain");
  StartPod(*this, Pod("reader", "data-before"));
  EXPECT_EQ(Sh("reader", fmt::format("cat {}/f", kData)), "old\n");
  SetPolicy(volume, "Delete");
}

// A claim that names a volume reserved for another stays Pending.
TEST_F(VolumeTest, AReservedVolumeIsNotGivenToAnother) {
  const std::string volume = Text(BoundClaim(*this, Claim("data")), "/spec/volumeName");
  SetPolicy(volume, "Retain");
  Delete(kClaims, "data");
  UntilGone(kClaims, "data");
  UntilPhase(kVolumes, volume, "Released");
  const Json reserved = Reserve(volume, "mine");
  Create(kClaims, ClaimOn("theirs", reserved));
  Create(kClaims, ClaimOn("mine", reserved));
  UntilPhase(kClaims, "mine", "Bound");
  EXPECT_EQ(Text(UntilPhase(kClaims, "theirs", "Pending"), "/spec/volumeName"), volume);
  SetPolicy(volume, "Delete");
}

// The policy can be changed at any time, and counts when the claim goes.
TEST_F(VolumeTest, AVolumeIsPatchedByVersion) {
  const std::string volume = Text(BoundClaim(*this, Claim("data")), "/spec/volumeName");
  const std::string old = VersionOf(Get(kVolumes, volume));
  Merge(kVolumes, volume, {{"metadata", {{"labels", {{"a", "b"}}}}}});
  EXPECT_EQ(CodeOf(Try({.verb = Verb::kMergePatch,
                        .resource = kVolumes,
                        .name = volume,
                        .body = {{"metadata", {{"resourceVersion", old}}},
                                 {"spec", {{"persistentVolumeReclaimPolicy", "Retain"}}}}})),
            "Conflict");
}

}  // namespace
}  // namespace stillpoint::contract
