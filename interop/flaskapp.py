"""Signs in with Authlib: a Flask website, code flow with PKCE, refresh and userinfo."""

import os

from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, session, url_for

app = Flask(__name__)
app.secret_key = "interop"
app.config["SESSION_COOKIE_NAME"] = "app_session"
login = OAuth(app).register(
    "idp",
    client_id="authlib",
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=os.environ["ISSUER"] + "/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile email offline_access", "code_challenge_method": "S256"},
)


@app.get("/")
def home():
    if "user" not in session:
        return login.authorize_redirect(url_for("callback", _external=True))
    return f"<!doctype html><h1 id=app>signed in as {session['user']}</h1>"


@app.get("/callback")
def callback():
    token = login.authorize_access_token()
    userinfo = login.userinfo(token=token)
    refreshed = login.fetch_access_token(grant_type="refresh_token", refresh_token=token["refresh_token"])
    assert refreshed["access_token"] != token["access_token"]
    session["user"] = f"{token['userinfo']['sub']}, {userinfo['email']}"
    return redirect("/")


app.run("127.0.0.1", int(os.environ["PORT"]))
