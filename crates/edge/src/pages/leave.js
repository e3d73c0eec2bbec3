{
  const { web, app, wait } = document.currentScript.dataset;
  const leave = setTimeout(() => location.replace(web), 1800);
  if (app) {
    const stay = () => clearTimeout(leave);
    addEventListener('pagehide', stay);
    document.addEventListener('visibilitychange', () => document.hidden && stay());
    setTimeout(() => { location.href = app; }, wait);
  }
}
