"""Writes probes.json: logistic regressions as scikit-learn fits them, quantities of an ensemble as
NumPy computes them, from integer formulas that the test computes too. Needs NumPy and scikit-learn.
"""
import json
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, roc_auc_score
from sklearn.model_selection import PredefinedSplit
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).parent
N, D, GROUPS, FOLDS = 60, 3, 6, 5
K, W, H, A = 6, 40, 2, 3


def formula(count, salt):
    i = np.arange(count)
    return ((i * 7919 + salt * 104729) % 1009) / 1009 - 0.5


def probes():
    x = 4 * formula(N * D, 11).reshape(N, D) + np.array([1, -2, 0.5])
    noise = formula(N, 12)
    y = (x[:, 0] - 0.5 * x[:, 1] + 3 * noise > 2).astype(int)
    groups = np.arange(N) % GROUPS
    out = {"labels": y.tolist(), "fits": [], "grouped": []}
    for penalty in [0.1, 1, 10]:
        model = LogisticRegression(C=1 / penalty, tol=1e-12, max_iter=10000, solver="newton-cholesky")
        model.fit(x, y)
        out["fits"].append({
            "penalty": penalty,
            "weights": model.coef_[0].tolist(),
            "bias": float(model.intercept_[0]),
            "probability": model.predict_proba(x)[:, 1].tolist(),
        })
    p = np.full(N, np.nan)
    for fit, test in PredefinedSplit(groups % FOLDS).split():
        scaler = StandardScaler().fit(x[fit])
        model = LogisticRegression(C=1, tol=1e-12, max_iter=10000, solver="newton-cholesky")
        model.fit(scaler.transform(x[fit]), y[fit])
        p[test] = model.predict_proba(scaler.transform(x[test]))[:, 1]
    said = (p > 0.5).astype(int)
    out["grouped"] = {
        "probability": p.tolist(),
        "confusion": confusion_matrix(y, said).ravel().tolist(),
        "balancedAccuracy": balanced_accuracy_score(y, said),
        "auc": roc_auc_score(y, p),
    }
    return out


def ensemble():
    truth = formula(W * H * A, 1).reshape(W, H, A)
    scale = (1 + np.arange(W) % 5)[:, None, None]
    draws = truth[None] + scale * np.stack([formula(W * H * A, 20 + k).reshape(W, H, A) for k in range(K)])
    mean, variance = draws.mean(0), draws.var(0, ddof=1)
    spread = np.sqrt(variance.mean((1, 2)))
    error = np.sqrt(((mean - truth) ** 2).mean((1, 2)))
    order = np.argsort(spread, kind="stable")
    bins = []
    for part in np.split(order, 4):
        s = np.sqrt(variance[part].mean())
        bins.append({
            "windows": len(part),
            "spread": s,
            "expected": s * np.sqrt(1 + 1 / K),
            "rmse": np.sqrt(((mean - truth)[part] ** 2).mean()),
        })
    rmse = np.sqrt(((mean - truth) ** 2).mean())
    return {
        "bins": bins,
        "ratio": rmse / (np.sqrt(variance.mean()) * np.sqrt(1 + 1 / K)),
        "correlation": np.corrcoef(spread, error)[0, 1],
        "covered": ((draws.min(0) <= truth) & (truth <= draws.max(0))).mean(),
    }


if __name__ == "__main__":
    result = {"probes": probes(), "ensemble": ensemble()}
    (HERE / "probes.json").write_text(json.dumps(result, indent=1) + "\n")
