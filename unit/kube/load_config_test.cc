#include "kube/load_config.h"

#include "unit/support/await.h"
#include "unit/support/fake_clock.h"
#include "unit/support/temp_dir.h"

#include "kube/base64.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace stillpoint::kube {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kCa = "-----BEGIN CERTIFICATE-----\nCA\n";
constexpr const char* kCertificate = "-----BEGIN CERTIFICATE-----\nCLIENT\n";
constexpr const char* kKey = "-----BEGIN PRIVATE KEY-----\nKEY\n";

// A kubeconfig of one context, whose cluster and user hold `cluster` and `user`, lines of YAML.
std::string OneContext(const std::string& cluster, const std::string& user) {
  return "apiVersion: v1\nkind: Config\ncurrent-context: dev\n"
         "contexts:\n- name: dev\n  context: {cluster: c1, user: u1, namespace: shop}\n"
         "clusters:\n- name: c1\n  cluster: {" +
         cluster + "}\nusers:\n- name: u1\n  user: {" + user + "}\n";
}

class LoadConfigTest : public testing::Test {
 protected:
  LoadConfigTest() {
    options_.environment = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = variables_.find(name);
      if (found == variables_.end()) return std::nullopt;
      return found->second;
    };
  }

  api::Result<Config> Load() { return LoadConfig(options_, clock_); }

  api::Result<Config> LoadText(const std::string& text) {
    options_.kubeconfig = dir_.Write("config", text);
    return Load();
  }

  Credential CredentialOf(const Config& config) {
    return clock_.Run(config.credentials->Current()).value();
  }

  void ExpectRefused(const std::string& text, const std::string& says) {
    const auto config = LoadText(text);
    ASSERT_FALSE(config) << text;
    EXPECT_EQ(config.error().code, api::Code::kInvalid);
    EXPECT_THAT(config.error().message, AllOf(HasSubstr(options_.kubeconfig), HasSubstr(says)));
  }

  boost::asio::io_context io_{1};
  unit::FakeClock clock_{io_};
  unit::TempDir dir_;
  std::map<std::string, std::string> variables_;
  ConfigOptions options_;
};

TEST_F(LoadConfigTest, ReadsInlineData) {
  const auto config =
      LoadText(OneContext("server: 'https://kube.example:6443/base/', tls-server-name: other, "
                          "certificate-authority-data: " +
                              EncodeBase64(kCa),
                          "client-certificate-data: " + EncodeBase64(kCertificate) +
                              ", client-key-data: " + EncodeBase64(kKey)));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->host, "kube.example");
  EXPECT_EQ(config->port, "6443");
  EXPECT_EQ(config->base_path, "/base");
  EXPECT_EQ(config->tls_server_name, "other");
  EXPECT_EQ(config->ca_pem, kCa);
  EXPECT_EQ(config->ns, "shop");
  EXPECT_EQ(config->context, "dev");
  EXPECT_FALSE(config->plain_http);
  EXPECT_FALSE(config->insecure_skip_tls_verify);
  const Credential credential = CredentialOf(*config);
  EXPECT_EQ(credential.client_certificate_pem, kCertificate);
  EXPECT_EQ(credential.client_key_pem.Reveal(), kKey);
  EXPECT_TRUE(credential.bearer_token.empty());
}

TEST_F(LoadConfigTest, ReadsFilesRelativeToTheKubeconfig) {
  dir_.Write("pki/ca.crt", kCa);
  dir_.Write("pki/me.crt", kCertificate);
  const std::string key = dir_.Write("elsewhere/me.key", kKey);
  const auto config = LoadText(OneContext("server: 'https://h', certificate-authority: pki/ca.crt",
                                          "client-certificate: pki/me.crt, client-key: " + key));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->ca_pem, kCa);
  EXPECT_EQ(CredentialOf(*config).client_key_pem.Reveal(), kKey);
}

TEST_F(LoadConfigTest, DataWinsOverFile) {
  const auto config =
      LoadText(OneContext("server: 'https://h', certificate-authority: nowhere, "
                          "certificate-authority-data: " +
                              EncodeBase64(kCa),
                          ""));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->ca_pem, kCa);
}

TEST_F(LoadConfigTest, TokenFileWinsOverToken) {
  dir_.Write("token", "from-file\n");
  const auto config =
      LoadText(OneContext("server: 'https://h'", "token: inline, tokenFile: token"));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(CredentialOf(*config).bearer_token.Reveal(), "from-file");
}

TEST_F(LoadConfigTest, ReadsToken) {
  const auto config = LoadText(OneContext("server: 'https://h'", "token: inline"));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(CredentialOf(*config).bearer_token.Reveal(), "inline");
}

TEST_F(LoadConfigTest, PicksTheNamedContext) {
  options_.context = "other";
  const auto config = LoadText(
      "current-context: dev\n"
      "contexts:\n- {name: dev, context: {cluster: c1}}\n- {name: other, context: {cluster: c2}}\n"
      "clusters:\n- {name: c1, cluster: {server: 'https://one'}}\n"
      "- {name: c2, cluster: {server: 'https://two'}}\n");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->host, "two");
  EXPECT_EQ(config->context, "other");
  EXPECT_EQ(config->ns, "default");
}

TEST_F(LoadConfigTest, MergesFilesAndTheFirstWins) {
  const std::string first =
      dir_.Write("a/config",
                 "contexts:\n- {name: dev, context: {cluster: c1, user: u1}}\n"
                 "users:\n- {name: u1, user: {tokenFile: token}}\n");
  dir_.Write("a/token", "of-a");
  const std::string second =
      dir_.Write("b/config",
                 "current-context: dev\ncontexts:\n- {name: dev, context: {cluster: c2}}\n"
                 "clusters:\n- {name: c1, cluster: {server: 'https://from-b'}}\n");
  variables_["KUBECONFIG"] = first + ":" + dir_.Path("absent") + "::" + second;
  const auto config = Load();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->host, "from-b");
  EXPECT_EQ(CredentialOf(*config).bearer_token.Reveal(), "of-a");
}

TEST_F(LoadConfigTest, FallsBackToHome) {
  variables_["HOME"] = dir_.Path("home");
  dir_.Write("home/.kube/config", OneContext("server: 'https://home'", ""));
  const auto config = Load();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->host, "home");
}

TEST_F(LoadConfigTest, PlainHttpIsForLoopbackOnly) {
  const auto config = LoadText(OneContext("server: 'http://127.0.0.1:8001'", ""));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_TRUE(config->plain_http);
  EXPECT_EQ(config->port, "8001");
  ExpectRefused(OneContext("server: 'http://kube.example'", ""), "cluster \"c1\": server: http://");
}

TEST_F(LoadConfigTest, InsecureOnlyWhenAskedFor) {
  const std::string text = OneContext("server: 'https://h', insecure-skip-tls-verify: true", "");
  ExpectRefused(text, "insecure-skip-tls-verify");
  options_.allow_insecure = true;
  const auto config = LoadText(text);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_TRUE(config->insecure_skip_tls_verify);
}

TEST_F(LoadConfigTest, ProxyOfTheClusterWinsOverTheVariables) {
  variables_ = {{"HTTPS_PROXY", "http://env:1"}, {"NO_PROXY", "*"}};
  auto config = LoadText(OneContext("server: 'https://h', proxy-url: 'http://own:3128'", ""));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->proxy_url, "http://own:3128");
  config = LoadText(OneContext("server: 'https://h'", ""));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->proxy_url, "");
  variables_.erase("NO_PROXY");
  config = LoadText(OneContext("server: 'https://h'", ""));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->proxy_url, "http://env:1");
}

TEST_F(LoadConfigTest, RunsThePluginFromTheFolderOfTheKubeconfig) {
  dir_.WriteScript("bin/login", R"(
[ "$1" = --region ] && [ "$2" = eu ] && [ "$LEVEL" = 3 ] || exit 1
case "$KUBERNETES_EXEC_INFO" in *'"server":"https://h"'*) ;; *) exit 2 ;; esac
echo '{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential",
       "status":{"token":"from-plugin"}}'
)");
  const auto config = LoadText(OneContext(
      "server: 'https://h'",
      "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: ./bin/login, "
      "args: [--region, eu], env: [{name: LEVEL, value: '3'}], provideClusterInfo: true, "
      "interactiveMode: IfAvailable}"));
  ASSERT_TRUE(config) << config.error().message;
  auto system_clock = MakeSystemClock();
  const auto real = LoadConfig(options_, *system_clock);
  ASSERT_TRUE(real);
  const auto credential = unit::Await(real->credentials->Current());
  ASSERT_TRUE(credential) << credential.error().message;
  EXPECT_EQ(credential->bearer_token.Reveal(), "from-plugin");
}

// ---- in a Pod ---------------------------------------------------------------------------------

class InClusterTest : public LoadConfigTest {
 protected:
  InClusterTest() {
    variables_ = {{"KUBERNETES_SERVICE_HOST", "10.96.0.1"}, {"KUBERNETES_SERVICE_PORT", "443"}};
    options_.service_account_dir = dir_.Path("sa");
    dir_.Write("sa/ca.crt", kCa);
    dir_.Write("sa/token", "pod-token");
    dir_.Write("sa/namespace", "stillpoint-system");
  }
};

TEST_F(InClusterTest, ReadsTheServiceAccount) {
  const auto config = Load();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->host, "10.96.0.1");
  EXPECT_EQ(config->port, "443");
  EXPECT_EQ(config->ca_pem, kCa);
  EXPECT_EQ(config->ns, "stillpoint-system");
  EXPECT_EQ(config->context, "in-cluster");
  EXPECT_EQ(CredentialOf(*config).bearer_token.Reveal(), "pod-token");
}

TEST_F(InClusterTest, FollowsARotatedToken) {
  const auto config = Load();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(CredentialOf(*config).bearer_token.Reveal(), "pod-token");
  dir_.Write("sa/token", "rotated");
  clock_.Advance(std::chrono::seconds(61));
  EXPECT_EQ(CredentialOf(*config).bearer_token.Reveal(), "rotated");
}

TEST_F(InClusterTest, WinsOverTheVariableButNotOverTheFlags) {
  const std::string file = dir_.Write("config", OneContext("server: 'https://file'", ""));
  variables_["KUBECONFIG"] = file;
  EXPECT_EQ(Load()->host, "10.96.0.1");
  options_.context = "dev";
  EXPECT_EQ(Load()->host, "file");
  options_.context = "";
  options_.kubeconfig = file;
  EXPECT_EQ(Load()->host, "file");
}

TEST_F(InClusterTest, NamesTheFileThatIsMissing) {
  for (const char* name : {"ca.crt", "token"}) {
    const std::string file = options_.service_account_dir + "/" + name;
    std::filesystem::rename(file, file + ".away");
    const auto config = Load();
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code, api::Code::kInvalid);
    EXPECT_THAT(config.error().message,
                AllOf(HasSubstr(file), HasSubstr("automountServiceAccountToken")));
    std::filesystem::rename(file + ".away", file);
  }
}

// ---- errors -----------------------------------------------------------------------------------

TEST_F(LoadConfigTest, SaysThatThereIsNoFile) {
  options_.kubeconfig = dir_.Path("absent");
  EXPECT_EQ(Load().error().message, "--kubeconfig: there is no file " + options_.kubeconfig);
  options_.kubeconfig = "";
  variables_["HOME"] = dir_.Path("nobody");
  EXPECT_EQ(Load().error().message, "no cluster to talk to: there is no file " +
                                        dir_.Path("nobody") +
                                        "/.kube/config; pass --kubeconfig, set KUBECONFIG, or run "
                                        "in a Pod");
}

struct BadFile {
  const char* text;
  const char* says;
};

TEST_F(LoadConfigTest, RefusesFilesThatAreNoKubeconfig) {
  const BadFile files[] = {
      {"a: [", "line 1 is not the YAML of a kubeconfig"},
      {"\ta: b", "is not the YAML of a kubeconfig"},
      {"just text", "it is not a map of fields"},
      {"", "current-context is not set"},
      {"current-context: dev", "there is no context \"dev\"; there is none"},
      {"current-context: dev\ncontexts: [{name: a}, {name: b}]", "there are: a, b"},
      {"contexts: {}", "contexts must be a list"},
      {"contexts: [{context: {}}]", "contexts[0].name is missing"},
      {"contexts: [x]", "contexts[0] must be a map"},
      {"current-context: [dev]", "current-context must be a text"},
      {"clusters: [{name: c, cluster: {server: [1]}}]",
       "clusters[0].cluster.server must be a text"},
      {"clusters: [{name: c, cluster: {insecure-skip-tls-verify: maybe}}]",
       "clusters[0].cluster.insecure-skip-tls-verify must be true or false"},
      {"users: [{name: u, user: {exec: {env: [{value: 1}]}}}]",
       "users[0].user.exec.env[0].name is missing"},
      {"current-context: d\ncontexts: [{name: d, context: {}}]",
       "context \"d\": cluster is missing"},
      {"current-context: d\ncontexts: [{name: d, context: {cluster: c}}]",
       "there is no cluster \"c\""},
      {"current-context: d\ncontexts: [{name: d, context: {cluster: c, user: u}}]\n"
       "clusters: [{name: c, cluster: {server: 'https://h'}}]",
       "there is no user \"u\""},
  };
  for (const BadFile& file : files) ExpectRefused(file.text, file.says);
}

struct BadField {
  const char* cluster;
  const char* user;
  const char* says;
};

TEST_F(LoadConfigTest, RefusesFieldsThatCannotBeHonoured) {
  constexpr const char* kGood = "server: 'https://h'";
  const BadField fields[] = {
      {"", "", "cluster \"c1\": server is missing"},
      {"server: kube.example", "", "cluster \"c1\": server: the URL has no scheme"},
      {"server: 'ftp://h'", "", "neither https nor http"},
      {"server: 'https://ann:pw@h'", "", "a user name in the URL is not supported"},
      {"server: 'https://h', certificate-authority-data: '!'", "",
       "certificate-authority-data is not Base64"},
      {"server: 'https://h', certificate-authority-data: 'Zm9v'", "",
       "certificate-authority-data is not in the PEM format"},
      {"server: 'https://h', certificate-authority: nowhere.crt", "",
       "certificate-authority: cannot read"},
      {"server: 'https://h', proxy-url: 'socks5://p:1'", "",
       "proxy-url: a proxy of scheme \"socks5\" is not supported"},
      {"server: 'http://localhost', proxy-url: 'http://p:1'", "", "is not reached by a proxy"},
      {kGood, "username: ann, password: pw", "users[0].user.username is not supported"},
      {kGood, "auth-provider: {name: gcp}", "users[0].user.auth-provider is not supported"},
      {kGood, "token: t, as: admin", "users[0].user.as is not supported"},
      {kGood, "client-certificate-data: LS0tLS1CRUdJTiA=", "client-key is missing"},
      {kGood, "client-key-data: LS0tLS1CRUdJTiA=", "client-certificate is missing"},
      {kGood, "tokenFile: nowhere", "tokenFile: cannot read"},
      {kGood, "token: \"a\\nb\"", "token: the token holds a control character"},
      {kGood, "exec: {apiVersion: client.authentication.k8s.io/v1}", "exec.command is missing"},
      {kGood, "exec: {command: x, apiVersion: client.authentication.k8s.io/v1alpha1}",
       "exec.apiVersion is \"client.authentication.k8s.io/v1alpha1\""},
  };
  for (const BadField& field : fields)
    ExpectRefused(OneContext(field.cluster, field.user), field.says);
}

TEST_F(LoadConfigTest, ErrorsShowNoSecrets) {
  for (const char* text :
       {"users: [{name: u, user: {token: [s3cr3t]}}]",
        "users: [{name: u, user: {token: s3cr3t: x}}]",
        "current-context: d\ncontexts: [{name: d, context: {cluster: c, user: u}}]\n"
        "clusters: [{name: c, cluster: {server: 'https://h'}}]\n"
        "users: [{name: u, user: {client-key-data: s3cr3t}}]"}) {
    const auto config = LoadText(text);
    ASSERT_FALSE(config) << text;
    EXPECT_THAT(config.error().message, Not(HasSubstr("s3cr3t")));
  }
}

}  // namespace
}  // namespace stillpoint::kube
