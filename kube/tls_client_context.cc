#include "kube/tls_client_context.h"

#include "kube/deleter.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <utility>

namespace stillpoint::kube {

namespace {

void FreeChain(STACK_OF(X509) * chain) {
  sk_X509_pop_free(chain, X509_free);
}

using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free>>;
using CertificatePtr = std::unique_ptr<X509, Deleter<X509_free>>;
using ChainPtr = std::unique_ptr<STACK_OF(X509), Deleter<FreeChain>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using ContextPtr = std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>>;

BioPtr Reader(const std::string& pem) {
  return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// Without it OpenSSL would ask for a password on the terminal.
int NoPassword(char*, int, int, void*) {
  return 0;
}

// Every certificate in `pem`, in order; empty when there is none.
ChainPtr ReadCertificates(const std::string& pem) {
  ChainPtr all(sk_X509_new_null());
  const BioPtr reader = Reader(pem);
  while (X509* certificate = PEM_read_bio_X509(reader.get(), nullptr, NoPassword, nullptr)) {
    sk_X509_push(all.get(), certificate);
  }
  ERR_clear_error();  // "no start line" is how it says that there are no more
  return all;
}

KeyPtr ReadKey(const std::string& pem) {
  KeyPtr key(PEM_read_bio_PrivateKey(Reader(pem).get(), nullptr, NoPassword, nullptr));
  ERR_clear_error();
  return key;
}

api::Error Invalid(std::string message) {
  return {api::Code::kInvalid, std::move(message)};
}

}  // namespace

struct TlsIdentity::Parts {
  CertificatePtr certificate;
  ChainPtr chain;  // what is above `certificate`, without it
  KeyPtr key;
};

TlsIdentity::TlsIdentity(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

TlsIdentity::~TlsIdentity() = default;

api::Result<std::shared_ptr<const TlsIdentity>> TlsIdentity::Parse(const Credential& credential) {
  if (credential.client_certificate_pem.empty()) return nullptr;
  auto parts = std::make_unique<Parts>();
  parts->chain = ReadCertificates(credential.client_certificate_pem);
  parts->certificate.reset(sk_X509_shift(parts->chain.get()));
  if (!parts->certificate) return Invalid("the client certificate is not PEM");
  parts->key = ReadKey(credential.client_key_pem.Reveal());
  if (!parts->key) return Invalid("the key of the client certificate is not PEM, or is encrypted");
  if (X509_check_private_key(parts->certificate.get(), parts->key.get()) != 1) {
    ERR_clear_error();
    return Invalid("the client key does not belong to the client certificate");
  }
  return std::shared_ptr<const TlsIdentity>(new TlsIdentity(std::move(parts)));
}

bool SameCertificate(const Credential& a, const Credential& b) {
  return a.client_certificate_pem == b.client_certificate_pem &&
         a.client_key_pem.Reveal() == b.client_key_pem.Reveal();
}

class TlsClientContext::Impl {
 public:
  explicit Impl(const Config& config)
      : name_(config.tls_server_name.empty() ? config.host : config.tls_server_name),
        insecure_(config.insecure_skip_tls_verify),
        context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
    SSL_CTX_set_mode(context_.get(), SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_cb(context_.get(), &Impl::OfferIdentity, this);
    SSL_CTX_set_ex_data(context_.get(), ExIndex(), this);
    SSL_CTX_set_info_callback(context_.get(), &Impl::OnInfo);
    X509_VERIFY_PARAM* parameters = SSL_CTX_get0_param(context_.get());
    name_is_address_ = X509_VERIFY_PARAM_set1_ip_asc(parameters, name_.c_str()) == 1;
    if (!name_is_address_) X509_VERIFY_PARAM_set1_host(parameters, name_.c_str(), name_.size());
    X509_VERIFY_PARAM_set_hostflags(
        parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    // As in Go: a certificate of the bundle is trusted even if it is no root.
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
    ERR_clear_error();
  }

  api::Result<> Trust(const std::string& ca_pem) {
    if (ca_pem.empty()) {
      SSL_CTX_set_default_verify_paths(context_.get());
      return {};
    }
    const ChainPtr bundle = ReadCertificates(ca_pem);
    if (sk_X509_num(bundle.get()) == 0) return Invalid("the CA bundle holds no PEM certificate");
    X509_STORE* store = SSL_CTX_get_cert_store(context_.get());
    for (int i = 0; i < sk_X509_num(bundle.get()); ++i) {
      X509_STORE_add_cert(store, sk_X509_value(bundle.get(), i));
    }
    return {};
  }

  void SetIdentity(std::shared_ptr<const TlsIdentity> identity) { identity_ = std::move(identity); }
  SSL_CTX* native() const { return context_.get(); }

  SSL* NewSession() const {
    SSL* session = SSL_new(context_.get());
    if (session && insecure_) SSL_set_verify(session, SSL_VERIFY_NONE, nullptr);
    return session;
  }

  std::string Judge(X509_STORE_CTX* store) const {
    const int error = X509_STORE_CTX_get_error(store);
    if (error == X509_V_OK) return "";
    if (!insecure_) return X509_verify_cert_error_string(error);
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return "";
  }

 private:
  static int ExIndex() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
  }

  // The server may ask for a certificate: called before each ClientHello is answered.
  static int OfferIdentity(SSL* session, void* self) {
    const auto& identity = static_cast<Impl*>(self)->identity_;
    if (!identity) return 1;
    const TlsIdentity::Parts& parts = identity->parts();
    return SSL_use_cert_and_key(session, parts.certificate.get(), parts.key.get(),
                                parts.chain.get(), 1);
  }

  // The server name that is asked for. libwebsockets would take it from the Host header; this is
  // where it can be put right. An address is no server name (RFC 6066).
  static void OnInfo(const SSL* session, int where, int) {
    if (!(where & SSL_CB_HANDSHAKE_START)) return;
    const void* data = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(session), ExIndex());
    const auto* self = static_cast<const Impl*>(data);
    char* name = self->name_is_address_ ? nullptr : const_cast<char*>(self->name_.c_str());
    SSL_set_tlsext_host_name(const_cast<SSL*>(session), name);
  }

  const std::string name_;
  const bool insecure_;
  bool name_is_address_ = false;
  const ContextPtr context_;
  std::shared_ptr<const TlsIdentity> identity_;
};

TlsClientContext::TlsClientContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

TlsClientContext::~TlsClientContext() = default;

api::Result<std::unique_ptr<TlsClientContext>> TlsClientContext::Make(const Config& config) {
  auto impl = std::make_unique<Impl>(config);
  if (auto trusted = impl->Trust(config.ca_pem); !trusted) return trusted.error();
  return std::unique_ptr<TlsClientContext>(new TlsClientContext(std::move(impl)));
}

void TlsClientContext::SetIdentity(std::shared_ptr<const TlsIdentity> identity) {
  impl_->SetIdentity(std::move(identity));
}

ssl_st* TlsClientContext::NewSession() const {
  return impl_->NewSession();
}

ssl_ctx_st* TlsClientContext::native() const {
  return impl_->native();
}

std::string TlsClientContext::Judge(x509_store_ctx_st* store) const {
  return impl_->Judge(store);
}

}  // namespace stillpoint::kube
