// Profiles under the hold script, with real shells; the clients are fakes that tell what they were
// given, but for sqlite3 where the machine has it.
#include "api/volume_backup.h"
#include "hooks/hold_script.h"
#include "hooks/profile.h"
#include "unit/support/shell_process.h"
#include "unit/support/temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace stillpoint::hooks {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using unit::Begun;
using unit::Process;

class ProfileTest : public testing::Test {
 protected:
  ProfileTest() {
    std::filesystem::create_directory(dir_.Path("bin"));
    path_ = dir_.Path("bin") + ":/usr/bin:/bin";
  }

  void Program(const std::string& name, const std::string& text) const {
    const std::filesystem::path file = dir_.Path("bin/" + name);
    std::ofstream(file) << "#!/bin/sh\n" << text;
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }

  std::string Content(const std::string& name) const {
    std::ifstream in(dir_.Path(name));
    return {std::istreambuf_iterator<char>(in), {}};
  }

  static std::vector<std::string> Held(const char* profile, ProfileInput input) {
    input.timeout = 10s;
    return HeldArgv("/bin/sh", FindProfile(profile)->make(input).hold, 60s);
  }

  // A client that succeeds, holds, and writes down how it was called.
  void Client(const std::string& name, const std::string& before = "") const {
    Program(name, before + "echo \"$MYSQL_PWD $*\" >>" + dir_.Path("calls") +
                      "\ncase $* in *HELD*) echo STILLPOINT HELD; cat;; esac\n");
  }

  // Its calls, once it was asked to release; empty when it did not hold.
  std::string CallsOfMariadb(const std::vector<std::string>& environment) const {
    Begun process(Held("mariadb", {}), path_, unit::Output::kBoth, environment);
    if (process.ReadLine() != "STILLPOINT HELD\n") return {};
    process.WriteStdin("release\n");
    process.ReadAll();
    EXPECT_EQ(process.ExitCode(), kHoldReleased);
    return Content("calls");
  }

  unit::TempDir dir_;
  std::string path_;
};

TEST(ProfilesTest, AreThoseThatTheSchemaNames) {
  std::vector<std::string_view> names;
  for (const Profile& profile : Profiles()) names.push_back(profile.name);
  EXPECT_THAT(names, testing::ElementsAreArray(api::kQuiesceProfiles));
  EXPECT_EQ(FindProfile("oracle"), nullptr);
}

TEST(ProfilesTest, WaitLessThanTheirTimeOut) {
  EXPECT_EQ(LockPatience(30s), 29s);
  EXPECT_EQ(LockPatience(1500ms), 1s);
  EXPECT_EQ(LockPatience(100ms), 1s);
}

// ---- mariadb ------------------------------------------------------------------------------------

TEST_F(ProfileTest, MariadbHoldsAndReleasesInOneSession) {
  Client("mariadb");
  const std::string calls = CallsOfMariadb({"HOME=/nowhere"});
  EXPECT_THAT(calls, HasSubstr("--skip-reconnect"));
  EXPECT_THAT(calls, HasSubstr("lock_wait_timeout=9,"));
  EXPECT_THAT(calls, HasSubstr("FLUSH TABLES WITH READ LOCK;"));
  EXPECT_THAT(calls, HasSubstr("\n\\! cat >/dev/null\n"));
  EXPECT_THAT(calls, Not(HasSubstr("--user")));
  EXPECT_THAT(calls, Not(HasSubstr("--host")));
}

TEST_F(ProfileTest, MariadbTakesTheOlderClientWhereThereIsNoOther) {
  Client("mysql");
  if (std::filesystem::exists("/usr/bin/mariadb")) GTEST_SKIP() << "this machine has mariadb";
  EXPECT_NE(CallsOfMariadb({}), "");
}

TEST_F(ProfileTest, MariadbTakesThePasswordFromTheEnvironmentAndHidesIt) {
  Client("mariadb");
  std::ofstream(dir_.Path("secret")) << "s3cret\n";
  for (const std::string& variable :
       {std::string("MARIADB_ROOT_PASSWORD=s3cret"), std::string("MYSQL_ROOT_PASSWORD=s3cret"),
        "MARIADB_ROOT_PASSWORD_FILE=" + dir_.Path("secret"),
        "MYSQL_ROOT_PASSWORD_FILE=" + dir_.Path("secret")}) {
    const std::string calls = CallsOfMariadb({"HOME=/nowhere", variable});
    EXPECT_THAT(calls, testing::StartsWith("s3cret --user=root")) << variable;
    EXPECT_EQ(calls.find("s3cret", calls.find("--batch")), std::string::npos) << calls;
    std::filesystem::remove(dir_.Path("calls"));
  }
}

TEST_F(ProfileTest, MariadbLeavesAnOptionFileItsWord) {
  Client("mariadb");
  std::ofstream(dir_.Path(".my.cnf")) << "[client]\n";
  const std::string calls =
      CallsOfMariadb({"HOME=" + dir_.Path(""), "MARIADB_ROOT_PASSWORD=s3cret"});
  EXPECT_THAT(calls, Not(HasSubstr("--user")));
  EXPECT_THAT(calls, Not(HasSubstr("s3cret")));
}

TEST_F(ProfileTest, MariadbTriesTcpWhereTheSocketIsNotThere) {
  Client("mariadb", "case $* in *127.0.0.1*);; *) exit 1; esac\n");
  EXPECT_THAT(CallsOfMariadb({}), HasSubstr("--protocol=tcp --host=127.0.0.1 --batch"));
}

TEST_F(ProfileTest, MariadbEndsWhenItsSessionDoes) {
  Program("mariadb", "case $* in *HELD*) echo STILLPOINT HELD; exit 1;; esac\n");
  Begun process(Held("mariadb", {}), path_);
  process.ReadAll();
  EXPECT_EQ(process.ExitCode(), 1);
}

// ---- sqlite -------------------------------------------------------------------------------------

class SqliteProfileTest : public ProfileTest {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/bin/sqlite3")) GTEST_SKIP() << "there is no sqlite3 here";
    database_ = dir_.Path("it's.db");
    EXPECT_EQ(Sql("CREATE TABLE t(x);"), 0);
  }

  int Sql(const std::string& sql) const {
    Process process({"/usr/bin/sqlite3", database_, sql}, path_);
    process.ReadAll();
    return process.ExitCode();
  }

  std::string database_;
};

TEST_F(SqliteProfileTest, KeepsWritersOutUntilItIsReleased) {
  Begun process(Held("sqlite", {.path = database_}), path_);
  ASSERT_EQ(process.ReadLine(), "STILLPOINT HELD\n");
  EXPECT_EQ(Sql("SELECT * FROM t;"), 0);
  EXPECT_NE(Sql("INSERT INTO t VALUES(1);"), 0);
  process.WriteStdin("release\n");
  process.ReadAll();
  EXPECT_EQ(process.ExitCode(), kHoldReleased);
  EXPECT_EQ(Sql("INSERT INTO t VALUES(1);"), 0);
}

TEST_F(SqliteProfileTest, MakesNoDatabase) {
  Begun process(Held("sqlite", {.path = dir_.Path("other.db")}), path_);
  EXPECT_THAT(process.ReadAll(), HasSubstr("there is no database file"));
  EXPECT_EQ(process.ExitCode(), 1);
  EXPECT_FALSE(std::filesystem::exists(dir_.Path("other.db")));
}

// ---- fsfreeze -----------------------------------------------------------------------------------

TEST_F(ProfileTest, FsfreezeRefusesWhatIsNoMountOfItsOwn) {
  Program("fsfreeze", "echo \"$*\" >>" + dir_.Path("calls"));
  for (const std::string& path : {dir_.Path(""), std::string("/")}) {
    Begun process(Held("fsfreeze", {.path = path}), path_);
    process.ReadAll();
    EXPECT_EQ(process.ExitCode(), 1) << path;
  }
  EXPECT_EQ(Content("calls"), "");
}

TEST_F(ProfileTest, FsfreezeUnfreezesWhatItFroze) {
  Program("fsfreeze", "echo \"$*\" >>" + dir_.Path("calls"));
  Begun process(Held("fsfreeze", {.path = "/proc"}), path_);
  ASSERT_EQ(process.ReadLine(), "STILLPOINT HELD\n");
  EXPECT_EQ(Content("calls"), "--freeze /proc\n");
  process.WriteStdin("release\n");
  process.ReadAll();
  EXPECT_EQ(process.ExitCode(), kHoldReleased);
  EXPECT_EQ(Content("calls"), "--freeze /proc\n--unfreeze /proc\n");
}

TEST_F(ProfileTest, FsfreezeDoesNotVouchForAFreezeThatIsGone) {
  Program("fsfreeze", "[ $1 = --freeze ]");
  Begun process(Held("fsfreeze", {.path = "/proc"}), path_);
  process.ReadLine();
  process.WriteStdin("release\n");
  process.ReadAll();
  EXPECT_EQ(process.ExitCode(), 1);
}

TEST_F(ProfileTest, FsfreezeThawsWhatAHolderLeftFrozen) {
  Program("fsfreeze", "exit 1");  // it is not frozen
  const std::string thaw = FindProfile("fsfreeze")->make({.path = dir_.Path("")}).thaw;
  Process process({"/bin/sh", "-c", thaw}, path_);
  process.ReadAll();
  EXPECT_EQ(process.ExitCode(), 0);
}

}  // namespace
}  // namespace stillpoint::hooks
