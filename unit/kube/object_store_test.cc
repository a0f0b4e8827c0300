#include "kube/object_store.h"

#include "api/codec.h"
#include "api/coordination.h"
#include "unit/support/fake_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace stillpoint::kube {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using api::Lease;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Type = WatchEvent::Type;

const api::NamespacedName kKey{"shop", "a"};

class ObjectStoreTest : public testing::Test {
 protected:
  ObjectStoreTest() {
    store_.OnChange([this](const api::NamespacedName& key, const void* old, const void* now) {
      changes_.push_back(key.name + ": " + Version(old) + " -> " + Version(now));
    });
    store_.OnUndecodable([this](const Undecodable& object) {
      undecodable_.push_back(object.key.name + " " + object.uid + " " + object.resource_version);
    });
  }

  static json::value Object(const std::string& name, const std::string& version,
                            const std::string& uid = "uid") {
    return {{"metadata",
             {{"namespace", "shop"}, {"name", name}, {"uid", uid}, {"resourceVersion", version}}},
            {"spec", json::object()}};
  }

  static json::value Broken(const std::string& name, const std::string& version) {
    json::value object = Object(name, version);
    object.as_object()["spec"] = {{"leaseDurationSeconds", "soon"}};
    return object;
  }

  // uid@version, - for none.
  static std::string Version(const void* object) {
    if (!object) return "-";
    const auto& metadata = static_cast<const Lease*>(object)->metadata;
    return metadata.uid + "@" + metadata.resource_version;
  }

  std::string Held(const api::NamespacedName& key = kKey) const {
    return Version(store_.Find(key).get());
  }

  bool Observe(const std::string& version, const std::string& read,
               const std::string& uid = "uid") {
    return store_.Observe(
        std::make_shared<const Lease>(api::Decode<Lease>(Object("a", version, uid)).value()), read);
  }

  bool List(const std::vector<json::value>& items, bool force = false) {
    store_.BeginList();
    for (const auto& item : items) store_.AddListed(item.as_object());
    return store_.EndList(force);
  }

  static WatchEvent Shown(Type type, json::value object) {
    return {type, std::make_shared<const json::object>(std::move(object.as_object()))};
  }

  void Apply(Type type, json::value object) {
    EXPECT_TRUE(store_.Apply(Shown(type, std::move(object))));
  }

  static api::Result<ObjectStore::Object> DecodeLease(const json::object& from) {
    auto lease = api::Decode<Lease>(from);
    if (!lease) return lease.error();
    return ObjectStore::Object(std::make_shared<const Lease>(std::move(*lease)));
  }
  static const api::ObjectMeta& MetadataOf(const void* object) {
    return static_cast<const Lease*>(object)->metadata;
  }

  boost::asio::io_context io_{1};
  unit::FakeClock clock_{io_};
  std::vector<std::string> log_;
  std::vector<std::string> changes_;
  std::vector<std::string> undecodable_;
  ObjectStore store_{{&DecodeLease, &MetadataOf},
                     clock_,
                     [this](Severity, std::string_view line) { log_.emplace_back(line); },
                     "leases"};
};

// ---- list and watch ----

TEST_F(ObjectStoreTest, ListTellsWhatCameChangedAndWent) {
  EXPECT_TRUE(List({Object("a", "1", "ua"), Object("b", "2", "ub"), Object("c", "3", "uc")}));
  EXPECT_THAT(changes_, ElementsAre("a: - -> ua@1", "b: - -> ub@2", "c: - -> uc@3"));
  changes_.clear();
  const auto kept = store_.Find({"shop", "b"});
  EXPECT_TRUE(List({Object("a", "4", "ua"), Object("b", "2", "ub"), Object("d", "5", "ud")}));
  EXPECT_THAT(changes_, ElementsAre("a: ua@1 -> ua@4", "c: uc@3 -> -", "d: - -> ud@5"));
  EXPECT_EQ(store_.Find({"shop", "b"}), kept) << "what did not change is not held twice";
}

TEST_F(ObjectStoreTest, WatchTellsEachChangeOnce) {
  Apply(Type::kAdded, Object("a", "1"));
  Apply(Type::kModified, Object("a", "2"));
  Apply(Type::kModified, Object("a", "2"));
  Apply(Type::kDeleted, Object("a", "3"));
  EXPECT_THAT(changes_, ElementsAre("a: - -> uid@1", "a: uid@1 -> uid@2", "a: uid@2 -> -"));
}

TEST_F(ObjectStoreTest, HandlerSeesTheStoreAfterTheChange) {
  std::vector<std::string> seen;
  store_.OnChange([&](const auto& key, const void*, const void*) { seen.push_back(Held(key)); });
  Apply(Type::kAdded, Object("a", "1"));
  Apply(Type::kDeleted, Object("a", "2"));
  EXPECT_THAT(seen, ElementsAre("uid@1", "-"));
}

TEST_F(ObjectStoreTest, NamesakeIsAnotherObject) {
  Apply(Type::kAdded, Object("a", "1", "first"));
  Apply(Type::kAdded, Object("a", "3", "second"));
  Apply(Type::kDeleted, Object("a", "2", "first"));
  EXPECT_THAT(changes_, ElementsAre("a: - -> first@1", "a: first@1 -> -", "a: - -> second@3"));
  EXPECT_EQ(Held(), "second@3");
  EXPECT_TRUE(List({Object("a", "9", "third")}));
  EXPECT_EQ(changes_.size(), 5u);
}

TEST_F(ObjectStoreTest, UndecodableIsReportedAndTheLastGoodVersionStays) {
  EXPECT_TRUE(List({Object("a", "1"), Broken("b", "2")}));
  Apply(Type::kModified, Broken("a", "3"));
  EXPECT_EQ(Held(), "uid@1");
  EXPECT_THAT(undecodable_, ElementsAre("b uid 2", "a uid 3"));
  EXPECT_THAT(log_, ElementsAre(HasSubstr("leases shop/b cannot be read"), HasSubstr("shop/a")));
  EXPECT_TRUE(List({Broken("a", "3")}));
  EXPECT_EQ(Held(), "uid@1") << "it is there, so it must not look deleted";
  Apply(Type::kModified, Object("a", "4"));
  EXPECT_EQ(Held(), "uid@4");
}

TEST_F(ObjectStoreTest, ThrowingHandlerHurtsNobodyElse) {
  std::vector<std::string> seen;
  store_.OnChange([](const auto&, const void*, const void*) { throw std::runtime_error("boom"); });
  store_.OnChange([&](const auto& key, const void*, const void*) { seen.push_back(key.name); });
  Apply(Type::kAdded, Object("a", "1"));
  EXPECT_THAT(seen, ElementsAre("a"));
  EXPECT_THAT(log_, ElementsAre(HasSubstr("boom")));
}

// ---- our own writes ----

TEST_F(ObjectStoreTest, OwnWriteIsReadAtOnceAndToldOnce) {
  Apply(Type::kAdded, Object("a", "5"));
  changes_.clear();
  EXPECT_TRUE(Observe("6", "5"));
  EXPECT_EQ(Held(), "uid@6");
  Apply(Type::kModified, Object("a", "6"));
  EXPECT_THAT(changes_, ElementsAre("a: uid@5 -> uid@6"));
  Apply(Type::kModified, Object("a", "7"));
  EXPECT_EQ(Held(), "uid@7");
}

TEST_F(ObjectStoreTest, LateAnswerToAWriteDoesNotGoBack) {
  Apply(Type::kAdded, Object("a", "5"));
  Apply(Type::kModified, Object("a", "6"));
  Apply(Type::kModified, Object("a", "7"));
  EXPECT_FALSE(Observe("6", "5"));
  EXPECT_EQ(Held(), "uid@7");
}

TEST_F(ObjectStoreTest, WriteWithoutEffectIsNoNews) {
  Apply(Type::kAdded, Object("a", "5"));
  changes_.clear();
  EXPECT_TRUE(Observe("5", "5"));
  EXPECT_THAT(changes_, IsEmpty());
}

// Someone else wrote 6 between our read of 5 and our unconditional write of 7.
TEST_F(ObjectStoreTest, VersionsThatOurWriteHasPassedAreSkipped) {
  Apply(Type::kAdded, Object("a", "5"));
  EXPECT_TRUE(Observe("7", "5"));
  Apply(Type::kModified, Object("a", "6"));
  EXPECT_EQ(Held(), "uid@7");
  Apply(Type::kModified, Object("a", "7"));
  Apply(Type::kModified, Object("a", "8"));
  EXPECT_EQ(Held(), "uid@8");
}

TEST_F(ObjectStoreTest, SecondWriteReplacesTheFirst) {
  Apply(Type::kAdded, Object("a", "5"));
  EXPECT_TRUE(Observe("6", "5"));
  EXPECT_TRUE(Observe("7", "6"));
  Apply(Type::kModified, Object("a", "6"));
  EXPECT_EQ(Held(), "uid@7");
  Apply(Type::kModified, Object("a", "7"));
  Apply(Type::kModified, Object("a", "8"));
  EXPECT_EQ(Held(), "uid@8");
}

// Removing the last finalizer deletes the object: the watch never shows that version.
TEST_F(ObjectStoreTest, DeletionIsBelievedInFrontOfOurWrite) {
  Apply(Type::kAdded, Object("a", "5"));
  EXPECT_TRUE(Observe("6", "5"));
  Apply(Type::kDeleted, Object("a", "7"));
  EXPECT_EQ(Held(), "-");
}

TEST_F(ObjectStoreTest, DeletionOfTheNamesakeBeforeOursIsPassed) {
  Apply(Type::kAdded, Object("a", "5", "first"));
  EXPECT_TRUE(Observe("8", "5", "second"));
  Apply(Type::kDeleted, Object("a", "6", "first"));
  Apply(Type::kAdded, Object("a", "8", "second"));
  EXPECT_EQ(Held(), "second@8");
}

TEST_F(ObjectStoreTest, CreatedObjectIsReadAtOnce) {
  EXPECT_TRUE(Observe("6", ""));
  Apply(Type::kAdded, Object("a", "6"));
  EXPECT_THAT(changes_, ElementsAre("a: - -> uid@6"));
}

TEST_F(ObjectStoreTest, LateAnswerDoesNotRaiseTheDead) {
  Apply(Type::kAdded, Object("a", "6"));
  Apply(Type::kDeleted, Object("a", "7"));
  EXPECT_FALSE(Observe("6", ""));
  EXPECT_TRUE(List({Object("a", "8", "second")}));
  EXPECT_TRUE(List({}));
  EXPECT_FALSE(Observe("8", "", "second"));
  EXPECT_EQ(Held(), "-");
}

// It was cut off for minutes and now tells all that it has kept; or it never shows our write.
TEST_F(ObjectStoreTest, WatchThatShowsAnotherVersionLongAfterOurWriteNeedsAList) {
  Apply(Type::kAdded, Object("a", "5"));
  EXPECT_TRUE(Observe("7", "5"));
  clock_.Advance(61s);
  EXPECT_FALSE(store_.Apply(Shown(Type::kModified, Object("a", "6"))));
  EXPECT_EQ(Held(), "uid@7");
  EXPECT_TRUE(List({Object("a", "8")}));
  Apply(Type::kModified, Object("a", "9"));
  EXPECT_EQ(Held(), "uid@9");
}

TEST_F(ObjectStoreTest, WatchThatShowsOurWriteLateIsBelieved) {
  Apply(Type::kAdded, Object("a", "5"));
  EXPECT_TRUE(Observe("6", "5"));
  clock_.Advance(61s);
  Apply(Type::kModified, Object("a", "6"));
  Apply(Type::kModified, Object("a", "7"));
  EXPECT_EQ(Held(), "uid@7");
}

TEST_F(ObjectStoreTest, ListThatBeganAfterOurWriteKnowsOfIt) {
  Apply(Type::kAdded, Object("a", "5"));
  EXPECT_TRUE(Observe("6", "5"));
  EXPECT_TRUE(List({Object("a", "8")}));
  Apply(Type::kModified, Object("a", "9"));
  EXPECT_EQ(Held(), "uid@9");
}

TEST_F(ObjectStoreTest, ListUnderWayDuringOurWriteIsDoneAgain) {
  Apply(Type::kAdded, Object("a", "5"));
  store_.BeginList();
  store_.AddListed(Object("a", "5").as_object());
  EXPECT_TRUE(Observe("6", "5"));
  EXPECT_FALSE(store_.EndList(false));
  EXPECT_EQ(Held(), "uid@6");
  EXPECT_TRUE(List({Object("a", "6")}));
  EXPECT_EQ(Held(), "uid@6");
}

TEST_F(ObjectStoreTest, ListUnderWayThatShowsOurWriteIsTaken) {
  Apply(Type::kAdded, Object("a", "5"));
  store_.BeginList();
  EXPECT_TRUE(Observe("6", "5"));
  store_.AddListed(Object("a", "6").as_object());
  EXPECT_TRUE(store_.EndList(false));
}

TEST_F(ObjectStoreTest, ListThatKeepsMeetingOurWritesIsTakenInTheEnd) {
  Apply(Type::kAdded, Object("a", "5"));
  store_.BeginList();
  EXPECT_TRUE(Observe("6", "5"));
  store_.AddListed(Object("a", "7").as_object());
  EXPECT_TRUE(store_.EndList(true));
  EXPECT_EQ(Held(), "uid@7");
}

}  // namespace
}  // namespace stillpoint::kube
